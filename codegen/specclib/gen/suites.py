"""suites.h, suites.c: what is offered and accepted, each row one transform."""

from itertools import product

from ..ast import Inherit, Num
from .cwriter import cstr, finish, start, upper
from .exchange import GenerateError, place
from .resolve import Resolver

TRANSFORMS = 'transform_id'	# the switch whose branches are the transforms of a protocol


class Suites:
    """Suites with their rows multiplied out: (transform, [(attribute, value)]) in C, and a text."""

    def __init__(self, r):
        self.r = r
        self.suites = {s.name.text: s for s in r.spec.suites}
        self.columns = {c.name.text: dict((h.text, a) for h, a in c.columns) for c in r.spec.columns}

    def rows(self, suite):
        columns = self.columns.get(suite.protocol.text)
        if columns is None:
            raise GenerateError(suite.loc, 'no columns for %s' % suite.protocol)
        out = []
        for row in suite.rows:
            if isinstance(row, Inherit):
                out += self.rows(self.suites[row.name.text])
                continue
            cells = [cell or (None,) for cell in row.cells]
            for choice in product(*cells):
                out.append(self.row(suite, columns, list(zip(suite.heading, choice)), row.loc))
        return out

    def row(self, suite, columns, pairs, loc):
        transform, cells, words = None, [], []
        for head, value in pairs:
            if head.text not in columns:
                raise GenerateError(head.loc, "no column '%s' for %s" % (head, suite.protocol))
            if value is None:
                continue
            attribute = columns[head.text]
            words.append(str(value.value if isinstance(value, Num) else value))
            if attribute is None:
                transform = self.symbol(self.transforms(suite, loc), value)
            else:
                cells.append(self.cell(suite, attribute, value))
        return transform or self.only_transform(suite, loc), cells, ' '.join(words)

    def transforms(self, suite, loc):
        for registry in self.r.switches.get(TRANSFORMS, ()):
            if suite.protocol.text in [v.text for v in registry.switch_values]:
                return registry
        raise GenerateError(loc, 'no transforms of %s' % suite.protocol)

    def only_transform(self, suite, loc):
        """A protocol without a column for it has one transform."""
        registry = self.transforms(suite, loc)
        named = [e for e in registry.entries if e.kind == 'named']
        if len(named) != 1:
            raise GenerateError(loc, "a suite for %s needs a column for its transform" % suite.protocol)
        return upper(registry.name, named[0].symbol)

    def cell(self, suite, attribute, value):
        """(attribute type, value) as C constants."""
        for table in self.r.spec.attributes:
            if suite.protocol.text not in [p.text for p in table.protocols]:
                continue
            for e in table.entries:
                if e.name.text == attribute.text:
                    registry = self.r.registries.get(e.type.name.text) if e.type.name else None
                    return upper(table.name, 'attribute', attribute), self.symbol(registry, value)
        raise GenerateError(attribute.loc, '%s has no attribute %s' % (suite.protocol, attribute))

    @staticmethod
    def symbol(registry, value):
        if isinstance(value, Num):
            return str(value.value)
        if registry is None or value.text not in [e.symbol.text for e in registry.entries if e.symbol]:
            raise GenerateError(value.loc, "'%s' is no value here" % value)
        return upper(registry.name, value)


def outputs(model):
    r = Resolver(model)
    return {'suites.h': header(r), 'suites.c': source(r, Suites(r))}


def header(r):
    c = start('suites.h', 'what is offered and accepted, best first.', ['base/tables.h'])
    for s in r.spec.suites:
        citation = s.clauses.citation()
        c.comment(s.doc, '%s (%s)' % (citation, place(s.loc)) if citation else place(s.loc))
        c('extern const struct suite suite_%s;' % s.name)
        c.blank()
    c('extern const struct suite *const suites[];')
    c('extern const size_t n_suites;')
    c.blank()
    c.comment('NULL if there is none of that name.')
    c('const struct suite *suite_by_name(const char *name);')
    return finish(c, 'suites.h')


def source(r, all_suites):
    c = start('suites.c', 'what is offered and accepted, best first.',
              ['generated/suites.h', 'generated/names.h', 'generated/payloads.h'])
    for s in r.spec.suites:
        suite(c, all_suites, s)
    with c.block('const struct suite *const suites[] =', '};'):
        for s in r.spec.suites:
            c('&suite_%s,' % s.name)
        if not r.spec.suites:
            c('NULL')
    c('const size_t n_suites = %d;' % len(r.spec.suites))
    c.blank()
    with c.function('const struct suite *suite_by_name(const char *name)'):
        c('for (size_t i = 0; i < n_suites; i++)')
        c('\tif (strcmp(suites[i]->name, name) == 0)')
        c('\t\treturn suites[i];')
        c('return NULL;')
    return finish(c, 'suites.c')


def suite(c, all_suites, s):
    rows = all_suites.rows(s)
    for i, (_, cells, text) in enumerate(rows):
        if not cells:
            continue
        c.comment(text)
        with c.block('static const struct suite_cell %s_%d[] =' % (s.name, i + 1), '};'):
            for attribute, value in cells:
                c('{ %s, %s },' % (attribute, value))
    c.blank()
    c.comment('%s: %s' % (s.name, place(s.loc)))
    with c.block('static const struct suite_row rows_%s[] =' % s.name, '};'):
        for i, (transform, cells, _) in enumerate(rows):
            where = '%s_%d' % (s.name, i + 1) if cells else 'NULL'
            c('{ %s, %d, %s },' % (transform, len(cells), where))
    c.blank()
    with c.block('const struct suite suite_%s =' % s.name, '};'):
        c('.name = %s,' % cstr(s.name.text))
        c('.protocol = %s,' % upper('protocol_id', s.protocol))
        c('.n = %d,' % len(rows))
        c('.rows = rows_%s,' % s.name)
    c.blank()
