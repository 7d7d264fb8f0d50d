"""The "where" conditions of messages and roles as C functions over a message whose slots are known.

A condition on one payload (count(SAi.proposals) == 1, or a role's own) becomes a check function of
that slot; has() and each() compare what the whole message has."""

from dataclasses import dataclass, replace

from ..ast import And, Call, Compare, In, Path, TupleExpr
from .conditions import condition, equals, negation, pair, struct_scope, subject
from .cwriter import cstr, upper
from .exchange import GenerateError, paren, path_text, place
from .layout import Layout

WHOLE = ('has', 'each')		# functions of a message, not of one payload


@dataclass
class Rule:
    """One comparison of a message's "where", and the variants that it holds for."""
    expr: object
    variants: list		# () = all
    notify: object


def split(where):
    return list(where.items) if isinstance(where, And) else [where]


def rules_of(view):
    """The comparisons of all variants; one that every variant has is not bound to any."""
    found = {}
    for line in view.lines:
        for expr in split(line.decl.where) if line.decl.where else ():
            rule = found.setdefault(path_text(expr), Rule(expr, [], line.decl.clauses.else_))
            rule.variants.append([v.text for v in line.decl.variants])
    for rule in found.values():
        everywhere = len(rule.variants) == len(view.lines)
        rule.variants = [] if everywhere else [v for part in rule.variants for v in part]
    return list(found.values())


def calls(expr):
    """The has() and each() in a comparison."""
    sides = (expr.left, expr.right) if isinstance(expr, Compare) else (expr,)
    return [s for s in sides if isinstance(s, Call) and s.fn.text in WHOLE]


def subject_slot(expr):
    """The slot that a condition on one payload is about."""
    side = expr.left if isinstance(expr, (Compare, In)) else expr
    if isinstance(side, TupleExpr):
        side = side.items[0]
    path = side.args[0] if isinstance(side, Call) else side
    return path.names[0].text


def last_member(expr):
    """A condition on ROLE.a.b as one on b, which is a member where the path ends."""
    if isinstance(expr, Path):
        return replace(expr, names=expr.names[-1:])
    if isinstance(expr, Call):
        return replace(expr, args=tuple(last_member(a) for a in expr.args))
    return replace(expr, left=last_member(expr.left))


class Wheres:
    """Writes the check functions of one specification into a C file."""

    def __init__(self, c, r, ex):
        self.c, self.r, self.ex = c, r, ex
        self.roles = {}		# id of a condition -> name of its function
        self.each = {}		# (payload, path, attribute) -> name of its function

    def of_view(self, view):
        """Write what view needs; the name of its function, or None."""
        rules = rules_of(view)
        role_slots = [s for s in view.slots.values() if s.where is not None]
        if not rules and not role_slots:
            return None
        for slot in role_slots:
            self.role(slot)
        single = [rule for rule in rules if not calls(rule.expr)]
        whole = [rule for rule in rules if calls(rule.expr)]
        for rule in single:
            if subject_slot(rule.expr) not in view.slots:
                raise GenerateError(rule.expr.loc, "'%s' is not in %s"
                                    % (subject_slot(rule.expr), view.name))
        for i, rule in enumerate(single):
            self.check(view, rule, self.check_name(view, single, i))
        for rule in whole:
            for call in calls(rule.expr):
                if call.fn.text == 'each':
                    self.each_function(view, call)
        self.function(view, role_slots, single, whole)
        return 'where_%s' % view.name

    # ---- one payload

    def struct(self, name):
        return self.r.structs[name]

    def check_name(self, view, single, i):
        slot = subject_slot(single[i].expr)
        same = [rule for rule in single if subject_slot(rule.expr) == slot]
        return 'check_%s_%s%s' % (view.name, slot, '_%d' % same.index(single[i]) if len(same) > 1 else '')

    def role(self, slot):
        """bool role_IDii(p, where, f): one function for all roles of one condition."""
        key = id(slot.where)
        if key in self.roles:
            return
        sharing = [n for n, role in self.ex.roles.items() if role.where is slot.where]
        name = self.roles[key] = 'role_%s' % sharing[0]
        scope = struct_scope(self.r, self.struct(slot.payload), 'p->', 'p->offset')
        self.c.comment('%s: %s (%s)' % (', '.join(sharing), path_text(slot.where),
                                        place(slot.role.loc)))
        head = 'static bool %s(const struct payload_%s *p, const char *where, struct fault *f)'
        with self.c.function(head % (name, slot.payload)):
            for part in split(slot.where):
                self.fail_unless(part, scope, 'where', self.r.notify(slot.role.clauses.else_))
            self.c('return true;')

    def fail_unless(self, expr, scope, where, notify):
        """if (!condition) return fault_at(...)"""
        if isinstance(expr, In) and isinstance(expr.left, TupleExpr):
            self.fail_tuple(expr, scope, where, notify)
            return
        got, want = subject(expr, scope)
        self.unless(condition(expr, scope), '')
        with self.c.indent():
            self.fault(where, cstr(got.field or path_text(expr)), got.at or 'p->offset', got.c, want, notify)

    def fail_tuple(self, expr, scope, where, notify):
        """Blame the first item that fits no choice, else the last."""
        self.unless(condition(expr, scope), ' {')
        with self.c.indent():
            for i, item in enumerate(expr.left.items):
                tests = []
                for choice in expr.choices:
                    test = equals(item, choice.items[i], scope).replace(' == ', ' != ')
                    if test not in tests:
                        tests.append(test)
                got, want = pair(item, expr.choices[0].items[i], scope)
                if i + 1 < len(expr.left.items):
                    self.c('if (%s)' % ' && '.join(tests))
                    with self.c.indent():
                        self.fault(where, cstr(got.field), got.at, got.c, want.c, notify)
                else:
                    self.fault(where, cstr(got.field), got.at, got.c, want.c, notify)
        self.c('}')

    def unless(self, text, tail):
        """if (!(text)), a long one broken at its alternatives."""
        lines = ['if (!(%s))%s' % (text, tail)]
        if len(lines[0]) > 80:
            parts = text.split(' || ')
            lines = ['if (!(%s ||' % parts[0]] + ['      %s ||' % p for p in parts[1:-1]] \
                + ['      %s))%s' % (parts[-1], tail)]
        for line in lines:
            self.c(line)

    def fault(self, where, field, at, got, want, notify):
        self.c.stmt('return fault_at(f, REASON_SHAPE_WHERE, %s, %s, %s, %s, %s, %s)'
                    % (notify, where, field, at, got, want))

    def check(self, view, rule, name):
        """A condition on every payload of one slot, and on every item that its path goes through."""
        slot = view.slots[subject_slot(rule.expr)]
        self.c.comment('%s: %s, each of them (%s)' % (view.name, path_text(rule.expr),
                                                      place(rule.expr.loc)))
        head = 'static bool %s(const struct payload_%s *%s, struct fault *f)' \
            % (name, slot.payload, slot.payload.lower())
        with self.c.function(head):
            left = rule.expr.left if isinstance(rule.expr, (Compare, In)) else rule.expr
            path = left.args[0] if isinstance(left, Call) else left
            names = [n.text for n in path.names]
            with Walk(self, self.struct(slot.payload), names[1:-1]) as walk:
                self.innermost(rule, view, left, walk)
            self.c('return true;')

    def innermost(self, rule, view, left, walk):
        """The comparison itself, on the item that the path has led to."""
        offset = '%s->offset' % view.slots[subject_slot(rule.expr)].payload.lower()
        scope = struct_scope(self.r, walk.struct, walk.prefix, offset)
        expr = last_member(rule.expr)
        got, want = subject(expr, scope)
        self.c('if (%s)' % negation(expr, scope))
        with self.c.indent():
            self.fault(cstr(view.name), cstr(path_text(left)), offset, got.c, want,
                       self.r.notify(rule.notify))

    # ---- has() and each()

    def each_function(self, view, call):
        """bool each_SA_GROUP_DESCRIPTION(p): every item at the end of the path has the attribute."""
        path, attribute = call.args[0], call.args[1].names[0].text
        payload = view.slots[path.names[0].text].payload
        names = tuple(n.text for n in path.names[1:])
        key = (payload, names, attribute)
        if key in self.each:
            return
        self.has_attribute(attribute)
        name = self.each[key] = 'each_%s_%s' % (payload, attribute)
        self.c.comment('Whether each of %s has the attribute %s.'
                       % ('.'.join((payload,) + names), attribute))
        with self.c.function('static bool %s(const struct payload_%s *%s)'
                             % (name, payload, payload.lower())):
            with Walk(self, self.struct(payload), names) as walk:
                layout = Layout(self.r, walk.struct)
                attrs = next(s for s in layout.slots if s.kind == 'attributes')
                self.c('if (!has_%s(%s, %s%s))' % (attribute, walk.selector(attrs.arg), walk.prefix,
                                                   attrs.c))
                self.c('\treturn false;')
            self.c('return true;')

    def has_attribute(self, attribute):
        """bool has_GROUP_DESCRIPTION(protocol, attrs): each protocol numbers it on its own."""
        if attribute in self.each:
            return
        self.each[attribute] = attribute
        selector = self.r.selector(None)
        self.c.comment('Whether attrs has %s; each %s numbers it on its own.'
                       % (attribute, selector.name))
        head = 'static bool has_%s(uint32_t protocol, struct span attrs)' % attribute
        with self.c.function(head):
            self.c('struct attribute a;')
            self.c('uint16_t wanted;')
            self.c.blank()
            with self.c.block('switch (protocol)'):
                self.c.depth -= 1
                for table in self.r.spec.attributes:
                    if any(e.name.text == attribute for e in table.entries):
                        for p in table.protocols:
                            self.c('case %s:' % upper(selector.name, p))
                        self.c('\twanted = %s;' % upper(table.name, 'attribute', attribute))
                        self.c('\tbreak;')
                self.c('default:')
                self.c('\treturn false;')
                self.c.depth += 1
            self.c('while (next_attribute(&attrs, &a))')
            self.c('\tif (a.type == wanted)')
            self.c('\t\treturn true;')
            self.c('return false;')

    # ---- the whole message

    def flag(self, call):
        return '%s_%s' % (call.fn.text, call.args[0].names[0].text)

    def function(self, view, role_slots, single, whole):
        c = self.c
        flags = {}
        for rule in whole:
            for call in calls(rule.expr):
                flags.setdefault(self.flag(call), call)
        c.comment('The "where" of %s.' % view.name)
        head = 'static bool where_%s(const struct message *m, uint32_t variants, struct fault *f)'
        with c.function(head % view.name):
            for name, call in flags.items():
                c('bool %s = %s;' % (name, 'false' if call.fn.text == 'has' else 'true'))
            if whole:
                c('uint32_t at = 0;')
            if flags:
                c.blank()
            if not any(rule.variants for rule in single + whole):
                c('(void)variants;')
            with c.block('for (uint16_t i = 0; i < m->n; i++)'):
                c('const struct payload *p = &m->payloads[i];')
                c.blank()
                self.slots(view, role_slots, single, flags)
            for rule in whole:
                self.compare(view, rule)
            c('return true;')

    def slots(self, view, role_slots, single, flags):
        """What each slot must satisfy, and what it says about the message."""
        for slot in role_slots:
            self.demand(view, slot, '', '%s(&p->u.%s, %s, f)'
                        % (self.roles[id(slot.where)], slot.payload,
                           cstr('%s of %s' % (slot.name, view.name))))
        for i, rule in enumerate(single):
            slot = view.slots[subject_slot(rule.expr)]
            bound = '(variants & %s) != 0 && ' % paren(rule.variants) if rule.variants else ''
            self.demand(view, slot, bound, '%s(&p->u.%s, f)'
                        % (self.check_name(view, single, i), slot.payload))
        for name, call in flags.items():
            self.note(view, name, call)

    def demand(self, view, slot, bound, call):
        """if (it is that slot && !call) return false;"""
        self.c('if (%sp->slot == %s && !%s)' % (bound, view.slot_c(slot.name), call))
        self.c('\treturn false;')

    def note(self, view, name, call):
        """What a payload says about the message."""
        slot = view.slots[call.args[0].names[0].text]
        if call.fn.text == 'has':
            self.c('if (p->slot == %s)' % view.slot_c(slot.name))
            self.c('\t%s = true;' % name)
            return
        key = (slot.payload, tuple(n.text for n in call.args[0].names[1:]), call.args[1].names[0].text)
        with self.c.block('if (p->slot == %s)' % view.slot_c(slot.name)):
            self.c('%s = %s && %s(&p->u.%s);' % (name, name, self.each[key], slot.payload))
            self.c('at = p->u.%s.offset;' % slot.payload)

    def compare(self, view, rule):
        c = self.c
        found = calls(rule.expr)
        got = self.flag(found[0])
        op = {'==': '!=', '!=': '=='}[rule.expr.op] if isinstance(rule.expr, Compare) else None
        want = self.flag(found[1]) if len(found) > 1 else 'true'
        bound = '(variants & %s) != 0 && ' % paren(rule.variants) if rule.variants else ''
        c('if (%s%s)' % (bound, '%s %s %s' % (got, op, want) if op else '!' + got))
        with c.indent():
            self.fault(cstr(view.name), cstr(path_text(rule.expr)), 'at', got, want,
                       self.r.notify(rule.notify))


class Walk:
    """Nested loops over the arrays that a path goes through, from p on."""

    def __init__(self, wheres, struct, names):
        self.w, self.struct, self.names = wheres, struct, names
        self.prefix = struct.name.text.lower() + '->'
        self.arguments = {}	# parameter of the struct -> C expression
        self.blocks = []

    def selector(self, name):
        """The C of the field or parameter that selects."""
        return self.arguments.get(name) or self.prefix + Layout(self.w.r, self.struct).slot(name).c

    def __enter__(self):
        for name in self.names:
            slot = Layout(self.w.r, self.struct).slot(name)
            c, target = self.w.c, slot.target
            item = target.name.text.lower()
            args = [self.selector(slot.arg)] if slot.arg else []
            c('struct span %s = %s%s;' % (slot.c, self.prefix, slot.c))
            c('struct payload_%s %s;' % (target.name, item))
            c.blank()
            block = c.block('while (next_%s(%s))' % (target.name, ', '.join(
                ['&' + slot.c] + args + ['&' + item])))
            block.__enter__()
            self.blocks.append(block)
            self.arguments = dict(zip((p.name.text for p in target.params), args))
            self.struct, self.prefix = target, item + '.'
        return self

    def __exit__(self, *exc):
        for block in reversed(self.blocks):
            block.__exit__(None, None, None)
