"""What messages, machines and keys share: slots of a message, values of the formulas, their C names."""

import os
from dataclasses import dataclass, field

from ..ast import Name, Path
from .cwriter import upper

# Where a value comes from, as the spec says it and as base/tables.h does.
SOURCES = {
    'action': 'VALUE_ACTION',
    'icookie': 'VALUE_HEADER_ICOOKIE',
    'rcookie': 'VALUE_HEADER_RCOOKIE',
    'msgid': 'VALUE_HEADER_MSGID',
    'rest': 'VALUE_REST',
    'last_block': 'VALUE_LAST_BLOCK',
}


class GenerateError(Exception):
    """A spec that passed the checks but has no translation; says where."""

    def __init__(self, loc, text):
        super().__init__('%s: %s' % (loc, text))


def place(loc):
    """spec/main.spec:12, whatever path the compiler was given."""
    return 'spec/%s:%d' % (os.path.basename(loc.file), loc.line)


def cite(*clauses):
    """The citations of several declarations: each RFC once, its sections in order."""
    sections, other = {}, []
    for c in clauses:
        for r in c.rfc:
            sections.setdefault(r.number, set()).update(r.sections)
        other += [ref for ref in c.ref if ref not in other]
    return ', '.join(['RFC %d %s' % (n, ' '.join(sorted(s, key=section_key))) for n, s in
                      sections.items()] + other)


def section_key(section):
    """5.2 before 5.10, appendices last."""
    return [(0, int(part), '') if part.isdigit() else (1, 0, part) for part in section.split('.')]


def mask(variants):
    """The C expression of a mask of variants; 0 = any."""
    return ' | '.join('1u << ' + upper('VARIANT', v) for v in variants) or '0'


def paren(variants):
    """The mask as an operand."""
    return '(%s)' % mask(variants)


# ---- key values

@dataclass
class Value:
    name: str
    source: str
    text: str
    retain: bool = False
    secret: bool = False

    @property
    def c(self):
        return upper('KEY', self.name)


@dataclass
class Formula:
    """One formula in the form that the table has."""
    result: str
    variants: tuple
    fn: str
    key: str			# name of one value, None = no key
    terms: tuple		# ast.Name or ast.Num
    text: str
    clauses: object
    loc: object


class Keys:
    """Every value that a formula makes or needs: inputs, results, joined keys, bodies of roles."""

    def __init__(self, spec):
        self.values = {}
        self.formulas = []
        for k in spec.keys:
            for i in k.inputs:
                self.values[i.name.text] = Value(i.name.text, SOURCES[i.source.text],
                                                 i.text or i.doc, secret=i.secret)
            for f in k.formulas:
                self._add(f, k.clauses)
        for f in self.formulas:
            for name in ([f.key] if f.key else []) + [t.text for t in f.terms if isinstance(t, Name)]:
                if name not in self.values:
                    self.values[name] = Value(name, 'VALUE_BODY', self._body_text(name))

    def _add(self, f, clauses):
        v = self.values.setdefault(f.name.text, Value(f.name.text, 'VALUE_FORMULA', ''))
        v.retain = v.retain or f.retain
        v.secret = v.secret or f.secret
        self.formulas.append(Formula(f.name.text, tuple(n.text for n in f.variants), f.fn.text,
                                     self._key(f, clauses), f.terms, f.text, f.clauses, f.loc))
        if not f.clauses.citation():
            self.formulas[-1].clauses = clauses

    def _key(self, f, clauses):
        """The value that is the key; a key of several terms becomes a value of its own."""
        if len(f.key) < 2:
            return f.key[0].text if f.key else None
        name = '_'.join(t.text if isinstance(t, Name) else '%02x' % t.value for t in f.key)
        if name not in self.values:
            self.values[name] = Value(name, 'VALUE_FORMULA', '')
            text = ' | '.join(t.text if isinstance(t, Name) else '0x%02x' % t.value for t in f.key)
            self.formulas.append(Formula(name, (), 'concat', None, f.key, text, clauses, f.loc))
        return name

    @staticmethod
    def _body_text(name):
        role, _, kind = name.rpartition('_')
        return '%s of %s' % ('body' if kind == 'b' else 'whole payload', role)

    def c(self, name):
        """KEY_SKEYID_A for 'SKEYID_a'; '0' for None."""
        return self.values[str(name)].c if name is not None else '0'

    def has(self, name):
        return name in self.values

    def formulas_of(self, name):
        return [f for f in self.formulas if f.result == name]


# ---- messages

@dataclass
class Slot:
    name: str
    payload: str
    repeated: bool = False
    optional: bool = False		# in brackets in at least one variant
    hash: str = None		# the formula that gives the data
    signature: bool = False
    where: object = None
    role: object = None

    @property
    def body(self):
        return self.name + '_b'

    @property
    def whole(self):
        return self.name + '_w'


@dataclass
class Line:
    """One variant of a message: its elements in the order of emission."""
    decl: object			# ast.Message
    items: list = field(default_factory=list)	# (optional, [slot name, ...])


@dataclass
class View:
    """A message of one name: all its variants and the slots that they share."""
    block: object			# ast.Messages
    name: str
    lines: list = field(default_factory=list)
    slots: dict = field(default_factory=dict)

    @property
    def decl(self):
        return self.lines[0].decl

    @property
    def protection(self):
        return self.decl.protection

    @property
    def tolerated(self):
        return [t.text for t in self.block.tolerate if t.text not in self.slots]

    def slot_c(self, slot):
        """The exact case of the spec stays."""
        return 'SLOT_%s_%s' % (self.name, slot)

    def clauses(self):
        return [self.block.clauses] + [line.decl.clauses for line in self.lines]


class Exchanges:
    """All messages of the spec by name, with their slots."""

    def __init__(self, spec):
        self.spec = spec
        self.keys = Keys(spec)
        self.roles = {r.name.text: r for r in spec.roles}
        self.views = {}
        for block in spec.messages:
            for decl in block.messages:
                view = self.views.setdefault(decl.name.text, View(block, decl.name.text))
                self._add_line(view, decl)

    def variants(self):
        """Every variant of every machine, in order of declaration."""
        seen = []
        for m in self.spec.machines:
            for name, _ in (m.selects.variants if m.selects else ()):
                if name.text not in seen:
                    seen.append(name.text)
        return seen

    def _add_line(self, view, decl):
        line = Line(decl)
        left = [e.name.text for group in decl.shape.groups for item in group for e in item.elements]
        counts = {}
        for group in decl.shape.groups:
            for item in group:
                names = []
                for e in item.elements:
                    slot = self._slot(view, left)
                    left.pop(0)
                    counts[slot.name] = counts.get(slot.name, 0) + 1
                    slot.repeated = slot.repeated or e.repeat != '' or counts[slot.name] > 1
                    slot.optional = slot.optional or item.optional
                    if slot.name not in names:
                        names.append(slot.name)
                line.items.append((item.optional, names))
        view.lines.append(line)

    def _slot(self, view, left):
        """The slot of the first name that is left of a line; a new one stands before the next
        that is known."""
        name = left[0]
        if name in view.slots:
            return view.slots[name]
        role = self.roles.get(name)
        slot = Slot(name, role.payload.text if role else name)
        if role:
            slot.where, slot.role = role.where, role
        for formula in self.keys.formulas_of(name)[:1]:
            slot.signature = formula.fn == 'sign'
            slot.hash = formula.key if slot.signature else name
        order = list(view.slots)
        known = [order.index(n) for n in left if n in view.slots]
        order.insert(known[0] if known else len(order), name)
        view.slots[name] = slot
        view.slots = {n: view.slots[n] for n in order}
        return slot


def path_text(expr):
    """A condition as the spec writes it."""
    kind = type(expr).__name__
    if kind == 'Literal':
        return str(expr.value)
    if isinstance(expr, Path):
        return str(expr)
    if kind == 'Call':
        return '%s(%s)' % (expr.fn.text, ', '.join(path_text(a) for a in expr.args))
    if kind == 'TupleExpr':
        return '(%s)' % ', '.join(path_text(i) for i in expr.items)
    if kind == 'Compare':
        return '%s %s %s' % (path_text(expr.left), expr.op, path_text(expr.right))
    if kind == 'In':
        return '%s in %s' % (path_text(expr.left), ' | '.join(path_text(c) for c in expr.choices))
    return ' and '.join(path_text(i) for i in expr.items)
