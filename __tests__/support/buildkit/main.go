// How BuildKit reads Dockerfiles: the oracle of the tests of src/stack/dockerfile.
//
// One JSON object a line on stdin (text, args, target, platform, onbuild), one answer a line on stdout. Nothing is
// built and nothing is fetched: BuildKit's own frontend makes its plan, an image is whatever it asks a registry for, and
// a source of the context is whatever the plan copies or mounts from the local folder.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"

	"github.com/containerd/platforms"
	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/client/llb/sourceresolver"
	"github.com/moby/buildkit/frontend/dockerfile/dockerfile2llb"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/moby/buildkit/frontend/dockerui"
	"github.com/moby/buildkit/solver/pb"
	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"
	digest "github.com/opencontainers/go-digest"
)

type question struct {
	Text     string              `json:"text"`
	Args     map[string]string   `json:"args"`
	Target   string              `json:"target"`
	Platform string              `json:"platform"`
	OnBuild  map[string][]string `json:"onbuild"`
}

type source struct {
	Path     string   `json:"path"`
	Includes []string `json:"includes"`
	Excludes []string `json:"excludes"`
	Mount    bool     `json:"mount"`
}

type answer struct {
	Error   string   `json:"error,omitempty"`
	Line    int      `json:"line,omitempty"`
	Refs    []string `json:"refs"`
	Base    string   `json:"base"`
	Sources []source `json:"sources"`
}

const baseLabel = "oracle.base"

// resolver knows every image there is and notes which were asked for.
type resolver struct {
	mutex   sync.Mutex
	refs    map[string]struct{}
	onBuild map[string][]string
}

func (r *resolver) ResolveImageConfig(_ context.Context, ref string, opt sourceresolver.Opt) (string, digest.Digest, []byte, error) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	r.refs[ref] = struct{}{}
	var image dockerspec.DockerOCIImage
	if platform := opt.ImageOpt.Platform; platform != nil {
		image.Platform = *platform
	}
	image.RootFS.Type = "layers"
	image.RootFS.DiffIDs = []digest.Digest{digest.FromString(ref)}
	image.Config.Labels = map[string]string{baseLabel: ref}
	// So that a mount with a relative target is good, as it is on most images.
	image.Config.WorkingDir = "/work"
	image.Config.OnBuild = r.onBuild[ref]
	config, err := json.Marshal(image)
	return ref, "", config, err
}

func ask(q question) (a answer) {
	known := &resolver{refs: map[string]struct{}{}, onBuild: q.OnBuild}
	caps := pb.Caps.CapSet(pb.Caps.All())
	platform := platforms.MustParse("linux/amd64")
	config := dockerui.Config{BuildArgs: q.Args, Target: q.Target}
	opt := dockerfile2llb.ConvertOpt{Config: config, MetaResolver: known, LLBCaps: &caps}
	opt.BuildPlatforms = append(opt.BuildPlatforms, platform)
	if q.Platform != "" {
		target, err := platforms.Parse(q.Platform)
		if err != nil {
			return answer{Error: err.Error()}
		}
		// As buildx and the frontend do with --platform.
		target = platforms.Normalize(target)
		opt.TargetPlatform = &target
	}
	plan, err := dockerfile2llb.Dockerfile2LLB(context.Background(), []byte(q.Text), opt)
	if err != nil {
		return refused(err)
	}
	definition, err := plan.State.Marshal(context.Background())
	if err != nil {
		return refused(err)
	}
	a = answer{Refs: []string{}, Base: plan.Image.Config.Labels[baseLabel]}
	for ref := range known.refs {
		a.Refs = append(a.Refs, ref)
	}
	slices.Sort(a.Refs)
	a.Sources = sourcesOf(definition)
	return a
}

func refused(err error) answer {
	a := answer{Error: err.Error()}
	var at *parser.LocationError
	if errors.As(err, &at) {
		for _, ranges := range at.Locations {
			if len(ranges) > 0 {
				a.Line = ranges[0].Start.Line
				break
			}
		}
	}
	return a
}

// sourcesOf lists what the operations of a plan take from the build context.
func sourcesOf(definition *llb.Definition) []source {
	ops := map[string]*pb.Op{}
	for _, bytes := range definition.Def {
		op := &pb.Op{}
		if err := op.UnmarshalVT(bytes); err != nil {
			panic(err)
		}
		ops[string(digest.FromBytes(bytes))] = op
	}
	isContext := func(input *pb.Input) bool {
		from := ops[input.Digest].GetSource()
		return from != nil && strings.HasPrefix(from.Identifier, "local://")
	}
	found := []source{}
	for _, op := range ops {
		if file := op.GetFile(); file != nil {
			for _, action := range file.Actions {
				copied := action.GetCopy()
				if copied == nil || action.SecondaryInput < 0 || int(action.SecondaryInput) >= len(op.Inputs) {
					continue
				}
				if isContext(op.Inputs[action.SecondaryInput]) {
					found = append(found, source{Path: copied.Src, Includes: copied.IncludePatterns, Excludes: copied.ExcludePatterns})
				}
			}
		}
		if exec := op.GetExec(); exec != nil {
			for _, mount := range exec.Mounts {
				if mount.Input >= 0 && isContext(op.Inputs[mount.Input]) {
					found = append(found, source{Path: mount.Selector, Mount: true})
				}
			}
		}
	}
	return found
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 64<<20)
	var questions []question
	for lines.Scan() {
		var q question
		if err := json.Unmarshal(lines.Bytes(), &q); err != nil {
			panic(err)
		}
		questions = append(questions, q)
	}
	answers := make([]answer, len(questions))
	next := make(chan int)
	var workers sync.WaitGroup
	for range runtime.NumCPU() {
		workers.Go(func() {
			for i := range next {
				answers[i] = ask(questions[i])
			}
		})
	}
	for i := range questions {
		next <- i
	}
	close(next)
	workers.Wait()
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	encoder := json.NewEncoder(out)
	for _, a := range answers {
		if err := encoder.Encode(a); err != nil {
			panic(err)
		}
	}
}
