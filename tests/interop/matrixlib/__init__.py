"""What the command `matrix` is made of: suites and cover say which cases there are, peers what a peer cannot do, lab, vici and
daemons bring them up, trial runs one, table writes what came out."""
