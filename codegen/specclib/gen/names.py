"""names.h, names.c: the registries, as enumerations and as tables with the names in text."""

from .cwriter import C, cbool, cnum, cstr, finish, start, upper
from .resolve import INT_BITS, Resolver, cite

KIND = {'named': 'REGISTRY_NAMED', 'reserved': 'REGISTRY_RESERVED', 'private': 'REGISTRY_PRIVATE'}


def outputs(model):
	r = Resolver(model)
	return {'names.h': header(r), 'names.c': source(r)}


def logged_name(decl, entry):
	if getattr(entry, 'logged', None):
		return entry.logged
	return (decl.clauses.prefix.text if decl.clauses.prefix else '') + entry.symbol.text


def rows(registry):
	"""The entries ascending, each alias as a row of its own: (lo, hi, entry, is alias)."""
	out = [(e.lo, e.hi, e, False) for e in registry.entries]
	for e in registry.entries:
		out.extend((a.value, a.value, e, True) for a in e.aliases)
	return sorted(out, key=lambda row: row[0])


def enumeration(c, decl, pairs):
	"""enum id { ID_SYMBOL = value, ... }; descriptions stand behind as comments."""
	c.comment(decl.doc, '%s: %s' % (decl.name, cite(decl)) if not decl.doc else cite(decl))
	with c.block('enum %s' % decl.name, '};'):
		for symbol, value, text in pairs:
			line = '%s = %s,' % (upper(decl.name, symbol), value)
			c(line + ('\t/* %s */' % text.replace('*/', '* /') if text else ''))


def header(r):
	c = start('names.h', 'the assigned numbers and their names.', ['base/tables.h'])
	for registry in r.spec.registries:
		named = [(e.symbol, cnum(e.lo), e.text) for e in registry.entries if e.kind == 'named']
		if named:
			enumeration(c, registry, named)
		c('extern const struct registry registry_%s;' % registry.name)
		c.blank()
	for switch, branches in r.switches.items():
		selector = r.selector(switch)
		c.comment('The registry of %s that a %s selects; NULL if it has none.'
			% (switch, selector.name if selector else 'value'))
		c('const struct registry *registry_%s(uint32_t value);' % switch)
		c.blank()
	for bits in r.spec.bits:
		enumeration(c, bits, [(e.symbol, '1u << %d' % e.bit, e.text) for e in bits.entries])
		c.comment('The names of the flags that are set, "+" between them.')
		c('void %s_text(struct text *t, uint32_t value);' % bits.name)
		c.blank()
	c.comment('All registries, in the order of the spec.')
	c('extern const struct registry *const registries[];')
	c('extern const size_t n_registries;')
	return finish(c, 'names.h')


def source(r):
	uses_algorithms = any(e.is_ for g in r.spec.registries for e in g.entries)
	c = start('names.c', 'the assigned numbers and their names.',
		['generated/names.h'] + (['generated/algorithms.h'] if uses_algorithms else []))
	for registry in r.spec.registries:
		table(c, registry)
	for switch, branches in r.switches.items():
		switch_function(c, r, switch, branches)
	for bits in r.spec.bits:
		bits_table(c, bits)
	with c.block('const struct registry *const registries[] =', '};'):
		for registry in r.spec.registries:
			c('&registry_%s,' % registry.name)
		if not r.spec.registries:
			c('NULL')
	c('const size_t n_registries = %d;' % len(r.spec.registries))
	return finish(c, 'names.c')


def table(c, registry):
	c.comment('%s: %s' % (registry.name, cite(registry)))
	entries = rows(registry)
	if entries:
		with c.block('static const struct registry_entry %s_entries[] =' % registry.name, '};'):
			c.table([row_cells(registry, *row) for row in entries])
	with c.block('const struct registry registry_%s =' % registry.name, '};'):
		c('.name = %s,' % cstr(registry.name.text))
		c('.bits = %d,' % INT_BITS[registry.int_type.text])
		c('.closed = %s,' % cbool(registry.clauses.closed))
		c('.n = %d,' % len(entries))
		if entries:
			c('.entries = %s_entries,' % registry.name)
	c.blank()


def row_cells(registry, lo, hi, e, alias):
	named = e.kind == 'named'
	return [cnum(lo), cnum(hi), KIND[e.kind],
		cstr(e.symbol.text if named else None),
		cstr(logged_name(registry, e) if named else None),
		cstr(e.text or None),
		cstr(','.join(e.words) or None),
		upper('ALG', e.is_) if e.is_ else '0',
		cbool(alias)]


def switch_function(c, r, switch, branches):
	selector = r.selector(switch)
	with c.function('const struct registry *registry_%s(uint32_t value)' % switch):
		with c.block('switch (value)'):
			c.depth -= 1
			for branch in branches:
				for symbol in branch.switch_values:
					c('case %s:' % r.selected(selector, symbol))
				c('\treturn &registry_%s;' % branch.name)
			c('default:')
			c('\treturn NULL;')
			c.depth += 1


def bits_table(c, bits):
	c.comment('%s: %s' % (bits.name, cite(bits)))
	with c.block('static const struct bit_desc %s_bits[] =' % bits.name, '};'):
		c.table([[str(e.bit), cstr(e.symbol.text), cstr(logged_name(bits, e)), cstr(e.text or None)]
			for e in bits.entries])
	c.blank()
	with c.function('void %s_text(struct text *t, uint32_t value)' % bits.name):
		c('bits_text(t, %s_bits, sizeof(%s_bits) / sizeof(%s_bits[0]), value);'
			% (bits.name, bits.name, bits.name))
