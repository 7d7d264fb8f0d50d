"""Phase `shapes`: what messages contain."""

from .. import shapes


def check(model, diags):
	phases = phase_of(model)
	used = set()
	for messages in model.message_sets.values():
		used |= {p.name for p in messages.tolerated}
		for message in messages.messages:
			for shape in message.shapes:
				automaton(message, shape, diags)
				redundant(messages, shape, diags)
				integrity(message, shape, phases.get(messages.name), diags)
				clear_secret(messages, message, shape, diags)
				used |= {s.payload.name for s, _, _ in shape.elements}
			overlapping(message, diags)
	if model.message_sets:
		unused(model, used, diags)


def phase_of(model):
	"""1 or 2 for each set of messages; what a oneway sends encrypted stands under a phase 1."""
	found = {}
	for machine in model.machines.values():
		found[machine.messages.name] = machine.phase
	for oneway in model.oneways.values():
		found.setdefault(oneway.messages.name, 2)
	return found


def automaton(message, shape, diags):
	payload_of = {s.name: s.payload.name for s in message.slots}
	tolerated = [p.name for p in message.messages.tolerated]
	try:
		shapes.build(shape.decl.shape, payload_of, tolerated)
	except shapes.Ambiguous as e:
		(first, one), (second, other) = e.candidates[:2]
		after = " ".join(e.prefix) if e.prefix else "the header"
		diags.error("ambiguous", "after the same prefix a %s payload can be '%s' or '%s'" % (e.payload, first,
			second), other.name.loc, notes=[("the other candidate", one.name.loc),
			("the prefix is: %s" % after, None)],
			hint="fix their order: [%s > %s]" % (first, second))
	except shapes.TooLarge:
		diags.error("too-large", "the shape of '%s' needs more than %d states" % (message.name,
			shapes.Builder.MAX_STATES), shape.decl.shape.loc,
			hint="fix the order of some payloads with '>'")


def redundant(messages, shape, diags):
	for group in shape.decl.shape.groups:
		for item in group:
			for element in item.elements:
				slot = next((s for s, _, _ in shape.elements if s.name == element.name.text), None)
				if slot is None or slot.payload not in messages.tolerated:
					continue
				where = next(t for t in messages.decl.tolerate if t.text == slot.payload.name)
				diags.warning("redundant", "'%s' is listed and tolerated at once" % element.name.text,
					element.name.loc, notes=[("tolerated here", where.loc)])


def proves(slot):
	return slot.formula is not None


def integrity(message, shape, phase, diags):
	if message.protection != "encrypted" or phase is None:
		return
	if phase == 1:
		if not any(proves(s) for s, _, _ in shape.elements):
			diags.error("integrity", "%s is encrypted but proves nothing: no HASH or SIG" % message.name,
				shape.decl.name.loc, notes=[("RFC 2409 5: the last messages of phase 1 authenticate the exchange",
				None)])
		return
	first = shape.decl.shape.groups[0]
	slot = shape.elements[0][0] if len(first) == 1 and not first[0].optional else None
	if slot is None or not proves(slot):
		diags.error("integrity", "%s is encrypted under an established SA but does not start with a HASH"
			% message.name, shape.decl.name.loc,
			notes=[("RFC 2409 5.5, 5.7: a HASH follows the header and authenticates the rest", None)],
			hint="begin the shape with 'HASH_1 >'")


def clear_secret(messages, message, shape, diags):
	if message.protection != "clear" or all(x.protection == "clear" for x in messages.messages):
		return
	for slot, _, _ in shape.elements:
		if slot.payload.secret:
			diags.warning("clear-secret", "%s sends '%s' in clear, and later messages are encrypted" % (
				message.name, slot.name), shape.decl.name.loc,
				hint="if that is meant, add to '%s': allow clear-secret" % messages.name)


def overlapping(message, diags):
	"""Two shapes for one variant."""
	for i, shape in enumerate(message.shapes):
		for other in message.shapes[:i]:
			both = set(shape.variants) & set(other.variants)
			if both or not shape.variants or not other.variants:
				diags.error("dup", "'%s' has two shapes%s" % (message.name, " for " + ", ".join(sorted(both))
					if both else ""), shape.decl.name.loc, notes=[("the other one", other.decl.name.loc)])


def unused(model, used, diags):
	nested = {f.element.name for s in model.structs.values() for f in s.fields if f.kind == "structs"}
	for p in model.payloads.values():
		if p.name not in used | nested:
			diags.warning("emit-gap", "no message can carry payload '%s'" % p.name, p.decl.name.loc)
