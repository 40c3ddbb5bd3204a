"""Scores rows of numbers with scikit-learn's isolation forest.

Reads rows of numbers between commas, without a header, from standard input, and
writes one score a line, higher being more isolated. The last line of standard
error is the processor seconds of fitting and scoring.
"""

import argparse
import sys
import time

import numpy
from sklearn.ensemble import IsolationForest

parser = argparse.ArgumentParser()
parser.add_argument("-trees", type=int, default=100)
parser.add_argument("-sample", type=int, default=256)
parser.add_argument("-seed", type=int, default=1)
args = parser.parse_args()

rows = numpy.loadtxt(sys.stdin, delimiter=",", ndmin=2)
start = time.process_time()
forest = IsolationForest(n_estimators=args.trees, max_samples=args.sample, random_state=args.seed)
scores = -forest.fit(rows).score_samples(rows)
spent = time.process_time() - start
numpy.savetxt(sys.stdout, scores, fmt="%.17g")
print(spent, file=sys.stderr)
