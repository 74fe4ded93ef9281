"""The page behind the link of a marketing mail: one question, one button, no script, nothing from elsewhere."""

from __future__ import annotations

from html import escape

from starlette.responses import HTMLResponse

from bellhop.domain.unsubscribe import words_in

POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
STYLE = """:root { --ink: #1f2430; --soft: #5b6472; --line: #dfe3ea; --paper: #fff; --ground: #f1f3f6;
  --accent: #1d4ed8; color-scheme: light dark; }
@media (prefers-color-scheme: dark) { :root { --ink: #e7e9ee; --soft: #a5aebd; --line: #2c313c; --paper: #1b1f27;
  --ground: #12151b; --accent: #2f5fd0; } }
* { box-sizing: border-box; }
body { margin: 0; min-height: 100dvh; display: grid; place-items: center; padding: 20px; background: var(--ground);
  color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
main { width: min(460px, 100%); background: var(--paper); border: 1px solid var(--line); border-radius: 16px;
  padding: 30px 28px; overflow-wrap: anywhere; }
.who { margin: 0 0 14px; color: var(--soft); font-size: 14px; }
h1 { margin: 0 0 8px; font-size: 22px; line-height: 1.3; text-wrap: balance; }
p { margin: 0; color: var(--soft); }
form { margin: 22px 0 0; }
button { font: inherit; font-weight: 600; width: 100%; min-height: 48px; padding: 10px 18px; border: 0;
  border-radius: 12px; background: var(--accent); color: #fff; cursor: pointer; }
button:focus-visible { outline: 3px solid var(--ink); outline-offset: 3px; }
"""
_PAGE = """<!doctype html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>{title}</title>
<link rel="icon" href="data:,">
<style>
{style}</style>
</head>
<body>
<main>
{body}
</main>
</body>
</html>
"""
_FORM = """<form method="post"><input type="hidden" name="List-Unsubscribe" value="One-Click">
<button>{button}</button></form>"""


def ask(property_name: str, *languages: str | None) -> HTMLResponse:
    """Whether the guest wants no more of it. Looking at it does nothing: scanners of mails follow every link."""
    language, words = words_in(*languages)
    title = words.ask.format(property_name)
    return _page(language, title, property_name, words.still, _FORM.format(button=escape(words.button)))


def done(property_name: str, *languages: str | None) -> HTMLResponse:
    """It is done."""
    language, words = words_in(*languages)
    return _page(language, words.done.format(property_name), property_name, words.still)


def none(status: int, *languages: str | None) -> HTMLResponse:
    """The link is none of ours, or its message is gone."""
    language, words = words_in(*languages)
    return _page(language, words.gone, "", "", status=status)


def _page(language: str, title: str, who: str, still: str, form: str = "", status: int = 200) -> HTMLResponse:
    shown = [
        f'<p class="who">{escape(who)}</p>' if who else "",
        f"<h1>{escape(title)}</h1>",
        f"<p>{escape(still)}</p>" if still else "",
        form,
    ]
    html = _PAGE.format(
        style=STYLE, language=language, title=escape(title), body="\n".join(one for one in shown if one)
    )
    headers = {"content-security-policy": POLICY, "cache-control": "no-store", "x-robots-tag": "noindex"}
    return HTMLResponse(html, status, headers)
