"""The automata of message shapes as C tables."""

from ..shapes import TOLERATED, build
from .cwriter import cbool, upper, wrap
from .exchange import mask, place


def automaton(view, line):
    """The deterministic automaton of one variant of a message."""
    payload_of = {s.name: s.payload for s in view.slots.values()}
    return build(line.decl.shape, payload_of, [t.text for t in view.block.tolerate])


def label(view, line):
    """MI2, or MI3_psk where each variant has a shape of its own."""
    variants = [v.text for v in line.decl.variants] if len(view.lines) > 1 else []
    return '_'.join([view.name] + variants)


def shape_tables(c, r, view):
    """Tables of every variant, then the array of shapes."""
    dfas = [(line, automaton(view, line)) for line in view.lines]
    for line, dfa in dfas:
        tables(c, view, line, dfa)
    with c.block('static const struct shape shapes_%s[] =' % view.name, '};'):
        for line, dfa in dfas:
            name = label(view, line)
            with c.block('', '},'):
                if line.decl.variants:
                    c('.variants = %s,' % mask(v.text for v in line.decl.variants))
                c('.n_classes = %d,' % len(dfa.classes))
                c('.n_states = %d,' % len(dfa.accept))
                for table in ('classes', 'next', 'slot', 'accept'):
                    c('.%s = %s_%s,' % (table, table, name))
    c.blank()


def tables(c, view, line, dfa):
    name = label(view, line)
    slots = list(view.slots)
    c.comment('%s (%s)' % (line.decl.shape.text, place(line.decl.loc)),
              'Slots: ' + ', '.join('%d %s' % pair for pair in enumerate(slots)) + '.')
    with c.block('static const uint8_t classes_%s[] =' % name, '};'):
        listing(c, [upper('PAYLOAD_TYPE', p) for p in dfa.classes])
    grid(c, 'next_' + name, [[str(t) for t in row] for row in dfa.next])
    grid(c, 'slot_' + name, [[slot_cell(slots, s) for s in row] for row in dfa.slot])
    with c.block('static const bool accept_%s[] =' % name, '};'):
        listing(c, [cbool(a) for a in dfa.accept])
    c.blank()


def listing(c, items):
    """Items with commas, as many on a line as fit."""
    for line in wrap(', '.join(items) + ',', 88):
        c(line)


def slot_cell(slots, slot):
    if slot is None:
        return 'NON'
    return 'TOL' if slot == TOLERATED else str(slots.index(slot))


def grid(c, name, rows):
    """A table of two indices, one row a line, columns aligned."""
    with c.block('static const uint8_t %s[] =' % name, '};'):
        width = max((len(cell) for row in rows for cell in row), default=1)
        for row in rows:
            c(', '.join(cell.rjust(width) for cell in row) + ',')
