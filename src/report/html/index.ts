import {createHash} from 'node:crypto';
import {drawings} from './drawings.ts';
import {images} from './images.ts';
import {basics} from './script.ts';
import {style} from './style.ts';

/**
 * report.html: one file that needs nothing else.
 * Enters: the text of report.json.
 * Leaves: a page that shows it, with its script, its style and the data inside, and no way to the network.
 * Not here: what report.json holds (file.ts). The data is shown by textContent only: nothing in it is ever markup.
 */
export function htmlPage(reportJson: string): string {
  const script = `'use strict';\n(() => {\n${basics}\n${drawings}\n${images}\n})();\n`;
  const policy = [
    "default-src 'none'",
    `script-src '${hashOf(script)}'`,
    `style-src '${hashOf(style)}'`,
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
  const data = JSON.stringify(JSON.parse(reportJson)).replaceAll('<', '\\u003c');
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>Build report</title>
<style>${style}</style>
</head>
<body>
${frame}
<script type="application/json" id="data">${data}</script>
<script>${script}</script>
</body>
</html>
`;
}

function hashOf(text: string): string {
  return `sha256-${createHash('sha256').update(text).digest('base64')}`;
}

/** What is there before the script fills it. */
const frame = `<a class="skip" href="#images">Skip to the images</a>
<header>
<h1 id="title">Build report</h1>
<p id="headline"></p>
<ul id="facts" class="facts"></ul>
<nav aria-label="Sections"><ul id="sections" class="facts"></ul></nav>
</header>
<main>
<noscript><p>This page is drawn by its own script. Allow scripts for it, or read report.json.</p></noscript>
<section id="failures" aria-labelledby="failures-title" hidden><h2 id="failures-title">What failed</h2></section>
<section id="notes" aria-labelledby="notes-title" hidden><h2 id="notes-title">Worth knowing</h2></section>
<section id="images" aria-labelledby="images-title"><h2 id="images-title">Images</h2></section>
<section id="graph" aria-labelledby="graph-title" hidden><h2 id="graph-title">How the images depend on each other</h2></section>
<section id="timeline" aria-labelledby="timeline-title" hidden><h2 id="timeline-title">Where the time went</h2></section>
<section id="details" aria-labelledby="details-title"><h2 id="details-title">Image by image</h2></section>
</main>
<footer><p>Made from report.json by stack-action.</p></footer>`;
