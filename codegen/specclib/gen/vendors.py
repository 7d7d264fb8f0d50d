"""vendors.h, vendors.c: the vendor IDs that are known."""

from .cwriter import cbool, cstr, finish, start, upper
from .resolve import spec_of


def outputs(model):
	vendors = spec_of(model).vendors
	return {'vendors.h': header(vendors), 'vendors.c': source(vendors)}


def title(v):
	citation = v.clauses.citation()
	return '%s%s (%s:%d)' % (v.text or v.name.text, ', ' + citation if citation else '', v.loc.file,
		v.loc.line)


def header(vendors):
	c = start('vendors.h', 'the vendor IDs that are known.', ['base/span.h'])
	with c.block('enum vendor', '};'):
		c('VENDOR_NONE,')
		for v in vendors:
			c('%s,\t/* %s */' % (upper('vendor', v.name), title(v).replace('*/', '* /')))
		c('VENDOR_COUNT')
	c.blank()
	with c.block('struct vendor_desc', '};'):
		c('const char *name;\t/* as the spec writes it */')
		c('const char *text;')
		c('struct span data;')
		c('bool prefix;\t\t/* anything may follow the data */')
	c.blank()
	c('extern const struct vendor_desc vendor_table[VENDOR_COUNT];')
	c.blank()
	c.comment('The vendor whose ID that is, VENDOR_NONE for any other.')
	c('enum vendor vendor_find(struct span id);')
	return finish(c, 'vendors.h')


def source(vendors):
	c = start('vendors.c', 'the vendor IDs that are known.', ['generated/vendors.h'])
	for v in vendors:
		c('static const uint8_t %s_data[] = {' % v.name.text.lower())
		for at in range(0, len(v.data), 12):
			c('\t' + ' '.join('0x%02x,' % b for b in v.data[at:at + 12]))
		c('};')
		c.blank()
	with c.block('const struct vendor_desc vendor_table[VENDOR_COUNT] =', '};'):
		c('[VENDOR_NONE] = { .name = "none", .text = "" },')
		for v in vendors:
			data = v.name.text.lower() + '_data'
			c('[%s] = {' % upper('vendor', v.name))
			c('\t.name = %s, .text = %s,' % (cstr(v.name.text), cstr(v.text)))
			c('\t.data = { .p = %s, .n = sizeof(%s) }, .prefix = %s,' % (data, data, cbool(v.prefix)))
			c('},')
	c.blank()
	with c.function('enum vendor vendor_find(struct span id)'):
		c('for (enum vendor v = VENDOR_NONE + 1; v < VENDOR_COUNT; v++) {')
		c('\tconst struct vendor_desc *d = &vendor_table[v];')
		c('\tbool fits = d->prefix ? id.n >= d->data.n : id.n == d->data.n;')
		c.blank()
		c('\tif (fits && memcmp(id.p, d->data.p, d->data.n) == 0)')
		c('\t\treturn v;')
		c('}')
		c('return VENDOR_NONE;')
	return finish(c, 'vendors.c')
