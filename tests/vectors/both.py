"""The two readers of messages side by side: the interpreted spec here, the generated C in message_tool."""

import glob
import os
import subprocess
import sys

sys.dont_write_bytecode = True
TOP = os.environ.get("top_srcdir") or os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get("top_builddir") or TOP
sys.path.insert(0, os.path.join(TOP, "codegen"))

from specclib.checks.run import check	# noqa: E402
from specclib.diag import Diagnostics	# noqa: E402
from specclib.interp import Reader, Writer	# noqa: E402,F401
from specclib.main import read	# noqa: E402
from specclib.parser import parse	# noqa: E402

TOOL = os.environ.get("MESSAGE_TOOL") or os.path.join(BUILD, "tests/vectors/message_tool")


def load():
	"""The model of spec/*.spec."""
	diags = Diagnostics({})
	model = check(parse(read(glob.glob(os.path.join(TOP, "spec", "*.spec"))), diags), diags)
	if any(d.severity == "error" for d in diags.final()):
		raise SystemExit(diags.text())
	return model


def need_tool():
	if not os.access(TOOL, os.X_OK):
		print("SKIP: %s is not built: make build-tests" % TOOL)
		raise SystemExit(77)


def in_c(lines):
	"""What message_tool answers to each line."""
	done = subprocess.run([TOOL], input="".join(l + "\n" for l in lines), stdout=subprocess.PIPE, check=True,
		universal_newlines=True)
	answers = done.stdout.splitlines()
	if len(answers) != len(lines):
		raise SystemExit("FAIL: message_tool answered %d of %d lines" % (len(answers), len(lines)))
	return answers


def question(message, data, decrypted, variants):
	return "m %s %s %d %s" % (message.name, ",".join(variants) or "-", decrypted, data.hex())


def in_python(reader, message, data, decrypted, variants):
	"""The answer of the interpreted spec, as message_tool would write it."""
	v = reader.read(data, message, decrypted, variants)
	if v.fault is None:
		return " ".join(["ok", ",".join(v.variants) or "-"] + [s if s != "." else "-" for s in v.slots])
	f = v.fault
	return "refused %s %d %d %d %d %s|%s" % (f.reason, f.notify, f.offset, f.got, f.want, f.where, f.field)
