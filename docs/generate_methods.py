"""Write the pages of methods and the tables of symbols from what methods say: ``python docs/generate_methods.py``."""

from __future__ import annotations

import inspect
import pathlib
import re
from collections.abc import Iterator
from typing import Any

from gametheory_pref.methods import METHODS, Guarantee, MethodInfo
from gametheory_pref.methods._papers import PAPERS, Paper

DOCS = pathlib.Path(__file__).parent
_BY_HAND = "This page is written by `docs/generate_methods.py`."

_TABLE_HEAD = f"""# Methods

Update rules for preference games, each in one file of `gametheory_pref/methods/`. `gp.solve(game, "name")` runs one
with its default settings, `gp.METHODS["name"](step_size=0.1)` has others; [running methods](running_methods.md)
shows how. {_BY_HAND}

- **Game**: 0 is the game itself (temperature 0), $\\beta$ the KL-regularised one.
- **Answer**: the last policy, or the average of those played.
- **Products**: payoff products $A\\pi$ a step.
- **Theorem**: the first one about the answer. The method's page has all, with their sources; `gp.verify_rate` tests
  them on runs, as [verification](verification.md) says. A dash: none that can be tested. Symbols:
  [notation](notation.md).
- **Trust**: *paper numbers*, numbers printed in a paper or by its program are reproduced; *theory*, its theorems are
  tested; *experimental*, neither.
"""

_NOTATION_HEAD = f"""# Notation

One symbol for one thing, in code, on every page and in every message. {_BY_HAND}

| symbol | in code | what it is |
|---|---|---|
| $P$ | `game.preference` | win probabilities: $P_{{ij}}$ that response $i$ beats response $j$ |
| $A = P - 1/2$ | `game.payoff` | payoff, skew |
| $a$ | `facts.payoff_bound` | $\\max \\lvert A \\rvert$ |
| $\\beta$ | `temperature` | weight of $\\mathrm{{KL}}(\\pi \\Vert \\mu)$ |
| $\\mu$ | `reference` | anchor of the regularisation |
| $\\pi_t$, $\\pi_0$ | `solution.policy`, `start` | policy after $t$ steps; the first |
| $\\pi^*$ | `facts.log_equilibrium` | the equilibrium |
| $\\eta$, $\\eta_t$ | `step_size`, `Schedule` | step size, constant or `scale / (t + offset) ** power` |
| $\\lambda = 1/\\eta - \\beta$ | | proximal weight |
| $k = 1 - \\eta\\beta$ | | share of the old policy that a step keeps |
| $D$ | `facts.spread` | $\\max_i \\log(1/\\pi_0(i))$ |
| $w$ | `facts.frequencies` | rates of rotation at the equilibrium |
| $\\tau$ | `inner_temperature` | temperature of games that a method solves on its way |
| $T$ | `max_steps` | number of steps planned |

A step multiplies payoffs by $\\eta$ and pulls towards the reference by $\\eta\\beta \\le 1$. Multiply all payoffs by
$c$: the same run has $\\eta/c$, $c\\beta$ and $c$ times the gap. A constant added to $A\\pi$ changes nothing.

## The symbols of papers

`gp.PAPERS[name].settings(...)` takes the numbers of a paper under its own symbols and returns the arguments of
`gp.solve`; here is what it computes.

"""


# -- references


def references() -> dict[str, dict[str, str]]:
    """Return key -> fields of ``references.bib``, without their TeX."""
    text = (DOCS / "references.bib").read_text(encoding="utf-8")
    entries = re.findall(r"@\w+\{([^,]+),\n(.*?)\n\}", text, re.DOTALL)
    fields = {key: re.findall(r"(\w+)\s*=\s*\{(.*?)\},?\n", body + "\n", re.DOTALL) for key, body in entries}
    return {key: {name: _plain(value) for name, value in pairs} for key, pairs in fields.items()}


def _reference(clean: dict[str, str]) -> str:
    authors = [" ".join(reversed(name.split(", "))) for name in clean["author"].split(" and ")]
    who = authors[0] if len(authors) == 1 else (
        f"{', '.join(authors[:-1])} and {authors[-1]}" if len(authors) <= 3 else f"{authors[0]} et al."
    )
    where = clean.get("journal") or clean.get("booktitle")
    numbers = " ".join(filter(None, [clean.get("volume"), f"({clean['number']})" if "number" in clean else None]))
    venue = " ".join(filter(None, [where, numbers]))
    pages = f", {clean['pages']}" if "pages" in clean else ""
    arxiv = f" [arXiv:{clean['eprint']}](https://arxiv.org/abs/{clean['eprint']})." if "eprint" in clean else ""
    return f"{who} ({clean['year']}). {clean['title']}." + (f" *{venue}*{pages}." if venue else "") + arxiv


def _plain(value: str) -> str:
    for code, letter in ((r"{\'e}", "é"), (r"{\'E}", "É"), ("--", "–")):
        value = value.replace(code, letter)
    return re.sub(r"\s+", " ", re.sub(r"[{}]", "", value)).strip()


# -- numpydoc to Markdown


def sections(rule_class: Any) -> dict[str, str]:
    """Return the sections of a docstring; what comes before the first heading under the empty name."""
    text = inspect.getdoc(rule_class) or ""
    parts = re.split(r"^(\w+)\n-{3,}\n", text, flags=re.MULTILINE)
    return {"": parts[0], **dict(zip(parts[1::2], parts[2::2], strict=True))}


def markdown(text: str) -> str:
    """Return a part of a docstring in Markdown."""
    return re.sub(r"``(.+?)``", r"`\1`", _inline_math(_display_math(text))).strip()


def _display_math(text: str) -> str:
    def shown(match: re.Match[str]) -> str:
        return f"$$\n{inspect.cleandoc(match[1])}\n$$\n"

    return re.sub(r"^\.\. math::\n((?:[ \t]+\S.*\n?|\n(?=[ \t]+\S))+)", shown, text, flags=re.MULTILINE)


def _inline_math(text: str) -> str:
    return re.sub(r":math:`((?:[^`])+)`", lambda match: f"${' '.join(match[1].split())}$", text)


def _settings(text: str) -> Iterator[str]:
    for name, kind, body in re.findall(r"^(\w+) : (.*)\n((?:[ \t]+.*\n?|\n)+)", text, re.MULTILINE):
        yield f"- `{name}` ({kind}): {markdown(' '.join(body.split()))}"


def _example(text: str) -> str:
    """Return examples as fenced code; what is between them as text."""
    blocks = [block for block in re.split(r"\n\s*\n", text.strip()) if block.strip()]
    return "\n\n".join(f"```python\n{block}\n\n```" if block.startswith(">>>") else markdown(block) for block in blocks)


# -- pages


def page(rule_class: Any) -> str:
    """Return the page of one method."""
    info, parts = rule_class.info, sections(rule_class)
    lines = [f"# {info.title}", "", f"`gp.METHODS[\"{info.name}\"]`{_aliases(info)}. {_kind(info)} {_BY_HAND}", ""]
    lines += [markdown(parts[""]), ""]
    if "Parameters" in parts:
        lines += ["## Settings", "", *_settings(parts["Parameters"]), ""]
    if info.step_sizes:
        lines += ["## Step sizes", "", *_step_sizes(rule_class), ""]
    lines += ["## Theorems", "", *_theorems(info), ""]
    lines += ["## When it fails", "", *_failures(info), ""]
    papers = [paper for paper in PAPERS.values() if paper.method == info.name]
    if papers:
        lines += ["## In the symbols of papers", "", *_dictionary(papers), ""]
    if "Notes" in parts:
        lines += ["## Notes", "", markdown(parts["Notes"]), ""]
    if "Examples" in parts:
        lines += ["## Example", "", _example(parts["Examples"]), ""]
    known = references()
    lines += ["## References", "", *(f"- {_reference(known[key])}" for key in info.cite), ""]
    return "\n".join(lines)


def _aliases(info: MethodInfo) -> str:
    return f", also called {', '.join(f'`{alias}`' for alias in info.aliases)}" if info.aliases else ""


def _kind(info: MethodInfo) -> str:
    games = {
        frozenset({"minimax"}): "For temperature 0.",
        frozenset({"regularized"}): "For positive temperatures.",
    }.get(info.solves, "For any temperature.")
    answer = "The answer is the last policy." if info.answer == "last" else "The answer is the average of those played."
    calls = "Payoff products are counted in `State.calls`." if info.payoff_calls is None else (
        f"{_count(info.payoff_calls, 'payoff product')} a step."
    )
    return f"{games} {answer} {calls} Trust: {info.trust}."


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _step_sizes(rule_class: Any) -> Iterator[str]:
    info = rule_class.info
    for position, (name, rule) in enumerate(info.step_sizes.items()):
        what = markdown((inspect.getdoc(rule) or "").partition("\n\n")[0]).removeprefix("Return ").rstrip(".")
        yield f"- `\"{name}\"`{' (default)' if position == 0 else ''}: {what}."
    heat = "inner_temperature" if "inner_temperature" in rule_class._fields else "temperature"
    anchored = heat == "inner_temperature" or "regularized" in info.solves
    if anchored and info.largest_product < float("inf"):
        yield f"- Any number with `step_size * {heat}` of at most {info.largest_product:g}, or a `Schedule`."
    else:
        yield "- Any positive number, or a `Schedule`."


def _theorems(info: MethodInfo) -> Iterator[str]:
    proved = [guarantee for guarantee in info.guarantees if guarantee.proved]
    if not proved:
        yield "None that can be put to a test."
    for guarantee in proved:
        yield f"- **{guarantee.name}** ({_subject(guarantee)}): `{guarantee.statement}`. {_source(guarantee)}"


def _subject(guarantee: Guarantee) -> str:
    kind = {
        "Bound": "bound", "Contraction": "at every step", "LocalRate": "near the equilibrium", "Limit": "limit",
        "Decay": "rate",
    }[type(guarantee).__name__]
    which = "last policy" if guarantee.of == "last" else "average"
    return f"{which}, {kind}"


def _source(guarantee: Guarantee) -> str:
    def linked(match: re.Match[str]) -> str:
        anchor = match[1].lower().replace(" ", "-")
        return f"[Theory, {match[1]}](../theory.md#{anchor})"

    text = re.sub(r"docs/theory\.md, ([\w -]+)", linked, guarantee.source)
    return re.sub(r"docs/theory\.md", "[theory](../theory.md)", text) + "."


def _failures(info: MethodInfo) -> Iterator[str]:
    if not info.converges:
        yield "- With its default settings the answer need not converge to an equilibrium."
    for guarantee in info.guarantees:
        if not guarantee.proved:
            yield f"- This does *not* hold: `{guarantee.statement}` ({guarantee.source})."
        elif getattr(guarantee, "grows", False):
            yield f"- The last policy is no answer: `{guarantee.statement}`."
    if info.solves == frozenset({"minimax"}):
        yield "- At a positive temperature: it knows no reference."
    if info.solves == frozenset({"regularized"}):
        yield "- At temperature 0: without an anchor it has no theorem."
    if info.tabular_only:
        yield "- On policies that are no tables of probabilities: it uses more than the verbs that any policy has."
    if info.answer == "last":
        yield "- With sampled payoffs and a constant step: it ends in a band around the answer, not at it."


def _dictionary(papers: list[Paper]) -> Iterator[str]:
    yield "| method | `gp.PAPERS` | their symbol | what it is | here |"
    yield "|---|---|---|---|---|"
    for paper in papers:
        for position, symbol in enumerate(paper.symbols):
            first = f"{paper.title} | `{paper.name}`" if position == 0 else " | "
            yield f"| {first} | `{symbol.paper}` | {symbol.meaning} | `{symbol.here}` |"
    notes = [paper for paper in papers if paper.note]
    if notes:
        yield ""
        yield from (f"- {paper.title}: {paper.note}" for paper in notes)


def table() -> str:
    """Return the page that lists the methods."""
    rows = ["| method | game | answer | products | theorem | trust | reference |", "|---|---|---|---|---|---|---|"]
    known = references()
    for rule_class in METHODS.primary():
        info = rule_class.info
        games = ", ".join(sign for sign, kind in (("0", "minimax"), ("$\\beta$", "regularized")) if kind in info.solves)
        calls = "counted" if info.payoff_calls is None else str(info.payoff_calls)
        rows.append(
            f"| [{info.title}](methods/{info.name}.md) | {games} | {info.answer} | {calls} | {_main_theorem(info)} "
            f"| {info.trust} | {', '.join(_short(known[key]) for key in info.cite)} |"
        )
    return "\n".join([_TABLE_HEAD, *rows, ""])


def _main_theorem(info: MethodInfo) -> str:
    """Return the first theorem about the answer, without what comes after a semicolon."""
    for guarantee in info.guarantees:
        if guarantee.proved and guarantee.of == info.answer and not getattr(guarantee, "grows", False):
            return f"`{guarantee.statement.partition(';')[0]}`".replace("|", "\\|")
    return "–"


def _short(entry: dict[str, str]) -> str:
    families = [name.partition(",")[0] for name in entry["author"].split(" and ")]
    return f"{' and '.join(families) if len(families) < 3 else f'{families[0]} et al.'} {entry['year']}"


def notation() -> str:
    """Return the page of symbols."""
    return _NOTATION_HEAD + "\n".join(_dictionary(list(PAPERS.values()))) + "\n"


def files() -> dict[pathlib.Path, str]:
    """Return every generated file with its text."""
    pages = {DOCS / "methods" / f"{rule.info.name}.md": page(rule) for rule in METHODS.primary()}
    return {DOCS / "methods.md": table(), DOCS / "notation.md": notation(), **pages}


if __name__ == "__main__":
    (DOCS / "methods").mkdir(exist_ok=True)
    written = files()
    for old in set((DOCS / "methods").glob("*.md")) - set(written):
        old.unlink()
    for path, text in written.items():
        path.write_text(text, encoding="utf-8")
