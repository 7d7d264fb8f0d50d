"""The command line of the compiler."""

import argparse
import os
import subprocess
import sys

from .diag import Diagnostics
from .parser import parse


def arguments():
	p = argparse.ArgumentParser(prog="specc", description="The compiler of spec/*.spec.")
	commands = p.add_subparsers(dest="command", metavar="COMMAND", required=True)

	def command(name, text, files=True):
		c = commands.add_parser(name, help=text, description=text)
		if files:
			c.add_argument("files", nargs="+", metavar="FILE", help="spec files; they are read in name order")
			c.add_argument("-Werror", action="store_true", dest="werror", help="warnings are errors")
		return c
	c = command("check", "report what is wrong")
	c.add_argument("--check-actions", metavar="LIB", action="append", default=[],
		help="also check that LIB (.a or .o) defines every action")
	c = command("generate", "write the generated files")
	c.add_argument("-o", dest="output", metavar="DIR", default="src/generated")
	c.add_argument("--only", metavar="NAME", action="append", default=[], help="only this generator")
	c.add_argument("--list", action="store_true", help="print the names of the files, write nothing")
	for name, text in (("vectors", "write conformance vectors"), ("docs", "write the reference"),
			("graph", "write the machines as Graphviz")):
		c = command(name, text)
		c.add_argument("-o", dest="output", metavar="DIR", required=True)
	c = command("validate", "run messages through the interpreted spec")
	c.add_argument("--messages", metavar="FILE", action="append", default=[], help="hex messages to read")
	c = commands.add_parser("fmt", help="lay spec files out")
	c.add_argument("files", nargs="+", metavar="FILE")
	c.add_argument("--check", action="store_true", help="only say which files would change")
	c.add_argument("--stdout", action="store_true", help="write to standard output")
	c = commands.add_parser("explain", help="explain a diagnostic")
	c.add_argument("code", nargs="?", help="as in [code]; without it: all codes")
	return p


def read(files):
	found = []
	for name in sorted(files):
		try:
			with open(name, encoding="utf-8", newline="") as f:
				found.append((name, f.read().replace("\r\n", "\n")))
		except (OSError, UnicodeDecodeError) as e:
			raise SystemExit("specc: %s: %s" % (name, getattr(e, "strerror", None) or e))
	return found


def load(args):
	"""The checked model; ends the program when there are errors."""
	from .checks.run import check
	diags = Diagnostics({})
	spec = parse(read(args.files), diags)
	model = check(spec, diags)
	text = diags.text()
	if text:
		sys.stderr.write(text)
	shown = diags.final()
	if any(d.severity == "error" for d in shown) or (args.werror and shown):
		errors = sum(d.severity == "error" for d in shown)
		sys.stderr.write("specc: %d error%s, %d warning%s\n" % (errors, "s"[errors == 1:],
			len(shown) - errors, "s"[len(shown) - errors == 1:]))
		raise SystemExit(1)
	return model


def write_all(directory, outputs):
	for name, text in sorted(outputs.items()):
		path = os.path.join(directory, name)
		os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
		data = text if isinstance(text, bytes) else text.encode("utf-8")
		try:
			with open(path, "rb") as f:
				if f.read() == data:
					continue
		except FileNotFoundError:
			pass
		with open(path + ".new", "wb") as f:
			f.write(data)
		os.replace(path + ".new", path)


def generate(args):
	from .gen import generators
	model = load(args)
	names = []
	for name, module in generators():
		if args.only and name not in args.only:
			continue
		if getattr(module, "COMMAND", "generate") != args.command:
			continue
		outputs = module.outputs(model)
		names += list(outputs)
		if not getattr(args, "list", False):
			write_all(args.output, outputs)
	if getattr(args, "list", False):
		print("\n".join(sorted(names)))
	unknown = set(getattr(args, "only", ())) - {n for n, _ in generators()}
	if unknown:
		raise SystemExit("specc: no generator is called %s" % ", ".join(sorted(unknown)))
	return 0


def run_check(args):
	model = load(args)
	if args.check_actions:
		from .checks.actions import check_actions
		diags = Diagnostics(model.spec.sources)
		check_actions(model, args.check_actions, diags)
		sys.stderr.write(diags.text())
		return 1 if diags.failed() else 0
	return 0


def run_fmt(args):
	from .fmt import format_text
	changed = False
	files, diags = read(args.files), Diagnostics({})
	parse(files, diags)
	if diags.failed():	# what cannot be read cannot be laid out
		sys.stderr.write(diags.text())
		return 1
	for name, text in files:
		done = format_text(text)
		if args.stdout:
			sys.stdout.write(done)
		elif done != text:
			changed = True
			if args.check:
				print(name)
			else:
				with open(name, "w", encoding="utf-8") as f:
					f.write(done)
	return 1 if changed and args.check else 0


def run_explain(args):
	from .explain import explain
	return explain(args.code)


def run_validate(args):
	from . import validate
	return validate.run(load(args), args)


def main(argv):
	args = arguments().parse_args(argv)
	run = {"check": run_check, "generate": generate, "vectors": generate, "docs": generate, "graph": generate,
		"fmt": run_fmt, "explain": run_explain, "validate": run_validate}[args.command]
	args.only = getattr(args, "only", [])
	try:
		return run(args)
	except BrokenPipeError:
		return 1
	except subprocess.CalledProcessError as e:
		raise SystemExit("specc: %s" % e)
