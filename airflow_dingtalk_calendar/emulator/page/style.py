"""The page's style: one style sheet, nothing loaded from anywhere."""

STYLE_SHEET = """
:root { color-scheme: light dark; --ink: #1c2430; --soft: #5b6675; --line: #dfe4ea; --paper: #f5f7f9; --card: #fff;
  --blue: #1668dc; --old: #b3261e; --new: #14713d; --mark: #eef4ff; }
@media (prefers-color-scheme: dark) { :root { --ink: #e7ebf0; --soft: #9aa6b5; --line: #2d3642; --paper: #12161c;
  --card: #1a2028; --blue: #6ea8ff; --old: #f28b82; --new: #7bd49b; --mark: #1c2a40; } }
* { box-sizing: border-box; margin: 0; }
body { background: var(--paper); color: var(--ink); font: 15px/1.5 system-ui, "Segoe UI", "PingFang SC",
  "Microsoft YaHei", "Noto Sans CJK SC", sans-serif; max-width: 1080px; margin: 0 auto; padding: 28px 24px 40px; }
h1 { font-size: 24px; } h2 { font-size: 18px; margin: 30px 0 10px; }
h3 { font-size: 14px; color: var(--soft); font-weight: 600; margin: 18px 0 6px; } h4 { font-size: 16px; }
.facts, .legend, .notes { display: flex; flex-wrap: wrap; gap: 6px 8px; margin-top: 8px; font-size: 13px; }
.facts span { background: var(--card); border: 1px solid var(--line); border-radius: 6px; padding: 2px 9px; }
.facts a { color: var(--blue); padding: 3px 0; }
.legend { color: var(--soft); gap: 18px; margin-top: 12px; } .nothing { color: var(--soft); }
article { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 14px 18px; }
article + article { margin-top: 8px; }
.event { display: grid; grid-template-columns: 150px 1fr; gap: 18px; border-left: 4px solid var(--blue); }
.event.cancelled { opacity: .6; border-left-color: var(--line); } .event.cancelled h4 { text-decoration: line-through; }
.time strong, .time span { display: block; } .time strong { font-variant-numeric: tabular-nums; }
.time span { color: var(--soft); font-size: 13px; }
h4 small { background: var(--mark); color: var(--blue); border-radius: 6px; padding: 1px 8px; margin-left: 8px;
  font-size: 12px; font-weight: 500; display: inline-block; }
dl { margin-top: 4px; } dl div { display: flex; gap: 10px; font-size: 14px; }
dt { color: var(--soft); flex: 0 0 76px; } dd { overflow-wrap: anywhere; white-space: pre-line; }
.rooms { margin: 0; } .rooms dt { flex-basis: 160px; }
.people { list-style: none; padding: 0; display: flex; flex-wrap: wrap; gap: 6px; margin-top: 8px; font-size: 13px; }
.people:empty { display: none; }
.people li { border: 1px solid var(--line); border-radius: 14px; padding: 1px 11px; color: var(--soft); }
.people .accepted { color: var(--new); border-color: currentColor; }
.people .declined { color: var(--old); border-color: currentColor; }
.people .tentative { color: var(--blue); border-color: currentColor; }
.notes { color: var(--soft); gap: 4px 18px; margin: 2px 0 8px; }
code { background: var(--mark); border-radius: 5px; padding: 0 6px; font: 12px/1.6 ui-monospace, Consolas, monospace; }
table { border-collapse: collapse; width: 100%; font-size: 14px; table-layout: fixed; }
th, td { text-align: left; vertical-align: top; padding: 4px 10px 4px 0; border-top: 1px solid var(--line);
  overflow-wrap: anywhere; }
th { width: 150px; color: var(--soft); font-weight: 500; } .change td:nth-child(3) { width: 30px; color: var(--soft); }
del { color: var(--old); text-decoration: none; } ins { color: var(--new); text-decoration: none; }
footer { margin-top: 10px; }
@media (max-width: 640px) { .event { grid-template-columns: 1fr; gap: 4px; } th { width: 90px; } }
"""
