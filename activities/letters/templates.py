"""Templates: the files of one language, checked for syntax and names, and rendered in a sandbox.

A template knows fields, their parts, conditions, loops and the fragments of its language; no filters and no functions.
"""

import hashlib
from dataclasses import dataclass

from jinja2 import DictLoader, StrictUndefined, TemplateError, TemplateSyntaxError, meta, nodes
from jinja2.sandbox import SandboxedEnvironment

from activities.letters.fields import FIELDS, IN_SUBJECT
from activities.letters.files import Source

PARTS = frozenset(part for field in FIELDS.values() for part in (*field.parts, "code" if field.part_codes else ""))
LOOP = frozenset({"index", "first", "last", "length"})
"""What a template may ask of `loop`."""

UNRENDERABLE = (TemplateError, ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
"""What an expression of a template can end in."""


@dataclass(frozen=True)
class Checked:
    """A file whose names are known: the fields it uses itself, and the fragments it includes."""

    source: Source
    used: frozenset[str]
    includes: tuple[str, ...]


class Templates:
    """All templates and fragments of one language."""

    def __init__(self, sources: dict[str, Source]) -> None:
        """Check every file for syntax, unknown fields and fragments. Raises PolicyError with file, key and line."""
        self._environment = SandboxedEnvironment(
            loader=DictLoader({name: source.body for name, source in sources.items()}),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            # Values are slots while a template is rendered; activities.letters.markup escapes every one of them.
            autoescape=False,
            auto_reload=False,
        )
        self._environment.filters.clear()
        self._environment.globals.clear()
        self._checked = {name: self._check(source, sources) for name, source in sources.items()}
        letters = [name for name, source in sources.items() if not source.is_fragment]
        self._versions = {name: self._version(name) for name in letters}
        self._subjects = {name: self._environment.from_string(sources[name].header["subject"][1]) for name in letters}

    def source(self, name: str) -> Source:
        """The file of a template."""
        return self._checked[name].source

    def title(self, name: str) -> str:
        """The letter's name, from the header."""
        return self._checked[name].source.header["name"][1]

    def used(self, name: str) -> frozenset[str]:
        """The fields that a template and its fragments use."""
        return frozenset().union(*(one.used for one in self._with_fragments(name)))

    def files(self, name: str) -> dict[str, str]:
        """The SHA-256 of each file that a letter is written from: its template and the fragments."""
        return {one.source.template: one.source.sha256 for one in self._with_fragments(name)}

    def includes(self, name: str) -> tuple[str, ...]:
        """The fragments that a template includes."""
        return self._checked[name].includes

    def version(self, name: str) -> str:
        """The header's version with a hash of header, body and fragments, so that no change goes unnoticed."""
        return self._versions[name]

    def body(self, name: str, values: dict[str, str | list[dict[str, str]]]) -> str:
        """Render a body. Raises PolicyError with the line where it fails."""
        try:
            return self._environment.get_template(name).render(values)
        except UNRENDERABLE as error:
            source = self.source(name)
            raise source.mistake(f"cannot be rendered: {error}", line=_line_of(error, source)) from error

    def subject(self, name: str, inquiry: str) -> str:
        """Render a subject line; it knows no field but the kind of inquiry."""
        return self._subjects[name].render(inquiry=inquiry)

    def _version(self, name: str) -> str:
        parts = [repr(sorted(self.source(name).header.items()))]
        parts += [one.source.body for one in self._with_fragments(name)]
        digest = hashlib.sha256("\0".join(parts).encode()).hexdigest()
        return f"{self.source(name).version}+{digest[:8]}"

    def _with_fragments(self, name: str) -> list[Checked]:
        one = self._checked[name]
        return [one, *(self._checked[fragment] for fragment in one.includes)]

    def _check(self, source: Source, sources: dict[str, Source]) -> Checked:
        tree = self._parse(source, source.body)
        for foreign in tree.find_all((nodes.Extends, nodes.Import, nodes.FromImport, nodes.Macro)):
            raise source.mistake('only {% include "_fragment" %} is known', line=foreign.lineno)
        includes = []
        for include in tree.find_all(nodes.Include):
            name = str(include.template.value) if isinstance(include.template, nodes.Const) else ""
            if source.is_fragment or name not in sources or not sources[name].is_fragment:
                raise source.mistake("a letter includes fragments of its language only", key=name, line=include.lineno)
            includes.append(name)
        used = _names(source, tree, frozenset(FIELDS))
        if not source.is_fragment:
            line, subject = source.header["subject"]
            _names(source, self._parse(source, "\n" * (line - 1) + subject), IN_SUBJECT)
        return Checked(source, used, tuple(dict.fromkeys(includes)))

    def _parse(self, source: Source, text: str) -> nodes.Template:
        try:
            return self._environment.parse(text)
        except TemplateSyntaxError as error:
            raise source.mistake(f"cannot be read: {error.message}", line=error.lineno) from error


def _names(source: Source, tree: nodes.Template, known: frozenset[str]) -> frozenset[str]:
    """The fields a tree uses; PolicyError for one that is not known."""
    try:
        used = frozenset(meta.find_undeclared_variables(tree))
    except TemplateSyntaxError as error:  # an unknown filter or test
        raise source.mistake(f"cannot be read: {error.message}", line=error.lineno) from error
    for name in tree.find_all(nodes.Name):
        if name.name in used - known:
            raise source.mistake(f"unknown field; one of {', '.join(sorted(known))}", key=name.name, line=name.lineno)
    for item in tree.find_all(nodes.Getitem):
        raise source.mistake("a part of a field is named with a dot", line=item.lineno)
    for part in tree.find_all(nodes.Getattr):
        on_loop = isinstance(part.node, nodes.Name) and part.node.name == "loop"
        allowed = LOOP if on_loop else PARTS
        if part.attr not in allowed:
            raise source.mistake(f"unknown part; one of {', '.join(sorted(allowed))}", key=part.attr, line=part.lineno)
    return used


def _line_of(error: Exception, source: Source) -> int:
    """Where in a body the rendering failed, as Jinja tells by its rewritten traceback."""
    line, trace = source.body_line, error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == "<template>":
            line = trace.tb_lineno
        trace = trace.tb_next
    return line
