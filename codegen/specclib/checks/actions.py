"""specc check --check-actions LIB: every action of the spec is defined in the library, by `nm`."""

import os
import subprocess


def defined(libraries):
	found = set()
	for library in libraries:
		listing = subprocess.run(["nm", "-g", "--defined-only", library], stdout=subprocess.PIPE, text=True)
		if listing.returncode != 0:
			raise SystemExit("specc: nm cannot read %s" % library)
		for line in listing.stdout.splitlines():
			parts = line.split()
			if len(parts) == 3 and parts[1] in "TWV":
				found.add(parts[2])
	return found


def prototype(action):
	args = ["struct action *a"]
	if action.recv is not None:
		args.append("const struct in_%s *in" % action.recv.name)
	if action.send is not None:
		args.append("struct out_%s *out" % action.send.name)
	return "enum action_result %s(%s)" % (action.name, ", ".join(args))


def check_actions(model, libraries, diags):
	there = defined(libraries)
	shown = ", ".join(os.path.basename(x) for x in libraries)
	for action in model.actions.values():
		if action.name not in there:
			diags.error("action", "action '%s' is not defined in %s" % (action.name, shown), action.loc,
				hint=prototype(action))
