"""specc graph: each machine as Graphviz, MACHINE.dot."""

COMMAND = "graph"


def outputs(model):
	return {"%s.dot" % k.name: machine(k) for k in model.machines.values()}


def quoted(*lines):
	return '"%s"' % "\\n".join(l.replace("\\", "\\\\").replace('"', '\\"') for l in lines if l)


def machine(k):
	cited = " (%s)" % k.rfc if k.rfc else ""
	out = ["// Written by codegen/specc graph from %s." % k.decl.loc.file, "digraph %s {" % k.name,
		"\tlabel=%s;" % quoted("machine %s, phase %d%s" % (k.name, k.phase, cited)), "\trankdir=TB;",
		'\tnode [fontname="sans-serif", fontsize=11];', '\tedge [fontname="sans-serif", fontsize=10];']
	for role in ("initiator", "responder"):
		out += ["\tsubgraph cluster_%s {" % role, "\t\tlabel=%s;" % role, "\t\tstyle=dotted;"]
		for s in k.states:
			if s.role == role:
				out.append("\t\t%s [shape=%s, style=%s, label=%s];" % (s.name,
					"doubleoctagon" if s.final else "box", "bold" if s.start else "rounded",
					quoted(s.name, s.text, "answers again when asked again" if s.resend else "")))
		if role == "initiator" and k.initiate is not None:
			out += ["\t\tinitiate [shape=plaintext];", "\t\tinitiate -> %s [label=%s];" % (k.initiate.next.name,
				quoted(k.initiate.action, "sends " + k.initiate.send.name, timer(k.initiate)))]
		out.append("\t}")
	for row in k.rows:
		out.append("\t%s -> %s [label=%s];" % (row.state.name, row.next.name, quoted(
			row.recv.name + (" when " + ", ".join(row.variants) if row.variants else ""),
			row.prepare + ", then verify" if row.prepare else "", row.action,
			"sends " + row.send.name if row.send else "", timer(row))))
	return "\n".join(out + ["}", ""])


def timer(row):
	return "timer: " + row.timer if row.timer else ""
