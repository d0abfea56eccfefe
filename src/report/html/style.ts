/** Light and dark, narrow and printed; every text at least 4.5:1 on what is behind it. */
export const style = `
:root{color-scheme:light dark;--page:#fff;--text:#1f2328;--quiet:#59636e;--line:#d1d9e0;--soft:#f6f8fa;--link:#0550ae;
--good:#116329;--good-soft:#dafbe1;--bad:#a40e26;--bad-soft:#ffebe9;--warn:#6a4a00;--warn-soft:#fff8c5;--cool:#0a3069;--cool-soft:#ddf4ff;--mark:#ffd33d;--mark-text:#1f2328;
--pull:#6e7781;--build:#0969da;--test:#8250df;--push:#1a7f37}
@media (prefers-color-scheme:dark){:root{--page:#0d1117;--text:#e6edf3;--quiet:#9da7b1;--line:#3d444d;--soft:#161b22;--link:#79b8ff;
--good:#7ee787;--good-soft:#12261a;--bad:#ffa198;--bad-soft:#2d1215;--warn:#e3b341;--warn-soft:#272215;--cool:#a5d6ff;--cool-soft:#121d2f;--mark:#bb8009;--mark-text:#0d1117;
--pull:#8b949e;--build:#58a6ff;--test:#bc8cff;--push:#3fb950}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:76rem;padding:1rem;background:var(--page);color:var(--text);font:1rem/1.5 system-ui,"Segoe UI",sans-serif;overflow-wrap:anywhere}
h1{font-size:1.6rem;line-height:1.25;margin:.5rem 0}h2{font-size:1.25rem;margin:2rem 0 .75rem;padding-bottom:.25rem;border-bottom:1px solid var(--line)}
h3,h4{font-size:1rem;margin:1rem 0 .25rem}h3{display:inline;margin:0}
p{margin:.5rem 0}a{color:var(--link)}
code,pre,.log{font:.85rem/1.45 ui-monospace,"SFMono-Regular",Menlo,Consolas,monospace}
.skip{position:absolute;left:-99rem}.skip:focus{left:1rem;top:.5rem;background:var(--page);padding:.5rem;z-index:2}
:focus-visible{outline:3px solid var(--link);outline-offset:2px}
.facts{list-style:none;display:flex;flex-wrap:wrap;gap:.25rem 1.25rem;margin:.5rem 0;padding:0;color:var(--quiet)}
.state{display:inline-block;padding:.05rem .5rem;border:1px solid currentColor;border-radius:1rem;font-size:.85rem;font-weight:600;white-space:nowrap}
.built{color:var(--good);background:var(--good-soft)}.reused{color:var(--cool);background:var(--cool-soft)}.skipped{color:var(--quiet);background:var(--soft)}
.failed{color:var(--bad);background:var(--bad-soft)}.blocked{color:var(--warn);background:var(--warn-soft)}.cancelled{color:var(--quiet);background:var(--soft);border-style:dashed}
.failure{border:1px solid var(--line);border-left:4px solid var(--bad);border-radius:4px;padding:.5rem 1rem;margin:.75rem 0}
.failure h3{display:block}.cause{font-weight:600}
.scroll{overflow:auto;max-width:100%;border:1px solid var(--line);border-radius:6px}
.frame{max-height:36rem}
table{border-collapse:collapse;width:100%;font-size:.925rem}
caption{text-align:left;padding:.4rem .6rem;color:var(--quiet)}
th,td{text-align:left;vertical-align:top;padding:.4rem .6rem;border-top:1px solid var(--line)}thead th{border-top:0;background:var(--soft)}
.number{white-space:nowrap;font-variant-numeric:tabular-nums}
.tools{display:flex;flex-wrap:wrap;gap:.5rem;align-items:center;margin:.5rem 0}
input,select,button{font:inherit;color:inherit;background:var(--page);border:1px solid var(--quiet);border-radius:6px;padding:.25rem .6rem;min-height:2rem}
input{width:16rem;max-width:100%}button{cursor:pointer;background:var(--soft)}
details.image{border:1px solid var(--line);border-radius:6px;margin:.5rem 0}
details.image>summary{padding:.5rem .75rem;cursor:pointer}details.image[open]>summary{border-bottom:1px solid var(--line)}
summary .quiet{margin-left:.5rem;white-space:nowrap}.body{padding:.25rem .75rem .75rem}.quiet{color:var(--quiet)}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.25rem 1rem;margin:.5rem 0}dt{color:var(--quiet)}dd{margin:0}
.log{background:var(--soft);max-height:28rem;counter-reset:line;padding:.5rem 0;margin:0}
.log div{white-space:pre-wrap;padding:0 .75rem 0 4rem;position:relative;min-height:1.25rem}
.log div::before{counter-increment:line;content:counter(line);position:absolute;left:0;width:3.25rem;text-align:right;color:var(--quiet)}
.log .bad{background:var(--bad-soft);color:var(--bad)}
mark{background:var(--mark);color:var(--mark-text)}mark.now{outline:2px solid var(--text)}
svg{display:block}svg text{fill:var(--text);font:13px system-ui,sans-serif}svg .quiet{fill:var(--quiet)}
svg .edge{fill:none;stroke:var(--quiet);stroke-width:1.5}svg .node rect{stroke:currentColor;stroke-width:1.5}svg .node text{fill:currentColor}
svg a.node:focus-visible{outline:none}svg a.node:focus-visible rect{stroke-width:4}
svg .built rect{fill:var(--good-soft)}svg .reused rect{fill:var(--cool-soft)}svg .skipped rect,svg .cancelled rect{fill:var(--soft)}
svg .failed rect{fill:var(--bad-soft);stroke-width:3}svg .blocked rect{fill:var(--warn-soft)}svg .blocked rect,svg .cancelled rect{stroke-dasharray:5 3}
svg .grid{stroke:var(--line)}.pull{fill:var(--pull);background:var(--pull)}.build{fill:var(--build);background:var(--build)}.test,.integration-test{fill:var(--test);background:var(--test)}
.push,.reuse,.manifest,.prune{fill:var(--push);background:var(--push)}svg .broken{stroke:var(--bad);stroke-width:3}
.key{display:inline-block;width:.8rem;height:.8rem;border-radius:2px;margin-right:.35rem}.chain{font-weight:700}
footer{margin-top:3rem;color:var(--quiet);border-top:1px solid var(--line)}
@media (max-width:40rem){body{padding:.75rem}dl{grid-template-columns:1fr;gap:0}dd{margin-bottom:.4rem}.log div{padding-left:3rem}.log div::before{width:2.4rem}
table.rows thead{position:absolute;left:-99rem}table.rows tr{display:block;border-top:1px solid var(--line);padding:.4rem 0}table.rows td,table.rows th{display:flex;gap:.6rem;border:0;padding:.1rem .6rem}
table.rows td:empty{display:none}table.rows [data-name]::before{content:attr(data-name);color:var(--quiet);min-width:4.5rem;font-weight:400}}
@media print{body{max-width:none}nav,.tools,.skip{display:none}.scroll,.log,.frame{max-height:none;overflow:visible}details.image,.failure,tr{break-inside:avoid-page}}
`;
