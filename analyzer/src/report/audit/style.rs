//! The style sheet of the HTML report: light and dark, for a screen and for paper, without anything from elsewhere.

pub(super) const STYLE: &str = "
:root{color-scheme:light dark;--bg:#fff;--fg:#1b1f24;--dim:#57606a;--line:#d0d7de;--soft:#f6f8fa;--bad:#b42318;--some:#8a5300;--good:#116329;--none:#57606a;--link:#0550ae}
@media (prefers-color-scheme:dark){:root{--bg:#0d1117;--fg:#e6edf3;--dim:#9aa4af;--line:#30363d;--soft:#161b22;--bad:#ff8f85;--some:#f0b45c;--good:#6fdd8b;--none:#9aa4af;--link:#79b8ff}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:72rem;padding:1.5rem;background:var(--bg);color:var(--fg);font:1rem/1.5 system-ui,sans-serif}
h1{font-size:1.7rem;margin:.2rem 0}h2{font-size:1.3rem;margin:2.2rem 0 .6rem;border-bottom:1px solid var(--line);padding-bottom:.2rem}h3{font-size:1.05rem;margin:1.4rem 0 .4rem}
a{color:var(--link)}p{margin:.5rem 0}.dim{color:var(--dim)}code,.id{font-family:ui-monospace,monospace;font-size:.87em;overflow-wrap:anywhere}
nav ul{list-style:none;padding:0;display:flex;flex-wrap:wrap;gap:.3rem 1.2rem}
.scroll{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-size:.93rem}caption{text-align:left;color:var(--dim);padding:.3rem 0}
th,td{border:1px solid var(--line);padding:.35rem .5rem;text-align:left;vertical-align:top}th{background:var(--soft);font-weight:600}
td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}
.tally{display:grid;grid-template-columns:repeat(auto-fit,minmax(9rem,1fr));gap:.6rem;padding:0;margin:1rem 0;list-style:none}
.tally li{border:1px solid var(--line);border-radius:.4rem;padding:.6rem .8rem;background:var(--soft)}.tally b{display:block;font-size:1.5rem}
.s-contradicted{color:var(--bad);font-weight:600}.s-partial{color:var(--some);font-weight:600}.s-satisfied{color:var(--good);font-weight:600}.s-not{color:var(--none);font-weight:600}
details{border:1px solid var(--line);border-radius:.4rem;margin:.5rem 0;padding:.5rem .8rem}summary{cursor:pointer}.target{scroll-margin-top:5rem}
dl{display:grid;grid-template-columns:minmax(8rem,max-content) 1fr;gap:.15rem .9rem;margin:.5rem 0}dt{color:var(--dim)}dd{margin:0;overflow-wrap:anywhere}
.heat td{padding:.15rem .3rem;text-align:center;font-variant-numeric:tabular-nums;font-size:.8rem}.heat th{font-size:.8rem;white-space:nowrap}
.h0{background:transparent;color:var(--dim)}.h1{background:color-mix(in srgb,var(--good) 12%,transparent)}.h2{background:color-mix(in srgb,var(--good) 26%,transparent)}.h3{background:color-mix(in srgb,var(--good) 42%,transparent)}
@media print{:root{color-scheme:light;--bg:#fff;--fg:#000;--dim:#444;--line:#bbb;--soft:#f3f3f3;--bad:#8c1208;--some:#6b4000;--good:#0b4d1d;--none:#444;--link:#000}body{max-width:none;padding:0;font-size:10pt}nav{display:none}details{break-inside:avoid}details:not([open])>*{display:block}h2{break-after:avoid}tr{break-inside:avoid}}
";
