// The oracle for patterns: docker's own library and Go's filepath.Match. It reads one question in JSON a line and
// answers each with one line.
package main

import (
	"bufio"
	"encoding/json"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/moby/patternmatcher"
	"github.com/moby/patternmatcher/ignorefile"
)

type question struct {
	// Text of a .dockerignore file; or
	Ignore *string `json:"ignore"`
	// a pattern of COPY.
	Match *string  `json:"match"`
	Paths []string `json:"paths"`
}

type answer struct {
	Refused bool   `json:"refused"`
	Matched []bool `json:"matched"`
}

func ask(q question) answer {
	if q.Match != nil {
		a := answer{}
		for _, p := range q.Paths {
			ok, err := filepath.Match(*q.Match, p)
			if err != nil {
				return answer{Refused: true}
			}
			a.Matched = append(a.Matched, ok)
		}
		return a
	}
	patterns, err := ignorefile.ReadAll(strings.NewReader(*q.Ignore))
	if err != nil {
		return answer{Refused: true}
	}
	matcher, err := patternmatcher.New(patterns)
	if err != nil {
		return answer{Refused: true}
	}
	// As fsutil walks: what was found for a folder is handed on to what is in it.
	found := map[string]patternmatcher.MatchInfo{}
	var infoOf func(p string) (bool, patternmatcher.MatchInfo, error)
	infoOf = func(p string) (bool, patternmatcher.MatchInfo, error) {
		var above patternmatcher.MatchInfo
		if dir := path.Dir(p); dir != "." {
			known, ok := found[dir]
			if !ok {
				_, info, err := infoOf(dir)
				if err != nil {
					return false, info, err
				}
				known = info
			}
			above = known
		}
		ok, info, err := matcher.MatchesUsingParentResults(p, above)
		found[p] = info
		return ok, info, err
	}
	a := answer{}
	for _, p := range q.Paths {
		ok, _, err := infoOf(p)
		if err != nil {
			return answer{Refused: true}
		}
		a.Matched = append(a.Matched, ok)
	}
	return a
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(make([]byte, 1<<20), 1<<26)
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	encoder := json.NewEncoder(out)
	for lines.Scan() {
		var q question
		if err := json.Unmarshal(lines.Bytes(), &q); err != nil {
			panic(err)
		}
		if err := encoder.Encode(ask(q)); err != nil {
			panic(err)
		}
	}
}
