"""limits.h: how much of anything is looked at, and the times to wait."""

from .cwriter import cnum, finish, start, upper
from .resolve import spec_of


def place(item):
	return '%s:%d' % (item.loc.file, item.loc.line)


def outputs(model):
	spec = spec_of(model)
	c = start('limits.h', 'how much of anything is looked at, and the times to wait.', ['<stdint.h>'])
	for limit in spec.limits:
		c.comment('%s (%s)' % (limit.doc, place(limit)) if limit.doc else place(limit))
		c('#define %s %s' % (upper('LIMIT', limit.name), cnum(limit.value)))
	c.blank()
	for timer in spec.timers:
		what = timer.doc + ' ' if timer.doc else ''
		c.comment('%sMilliseconds. (%s)' % (what, place(timer)))
		name = upper('TIMER', timer.name, 'MS')
		c('enum { %s_N = %d };' % (name, len(timer.times)))
		c('static const uint32_t %s[%s_N] = { %s };'
			% (name, name, ', '.join(cnum(t) for t in timer.times)))
		c.blank()
	return {'limits.h': finish(c, 'limits.h')}
