#!/usr/bin/env python3
"""The peer of `bench templates`: Drain in Python, on the same lines.

Written from the paper (He, Zhu, Zheng, Lyu, "Drain: an online log parsing approach with fixed depth tree", ICWS 2017),
with one configuration for all systems and without the regular expressions the paper writes for each system: Tocsin gets
none either. When the package drain3 can be imported, it is measured instead, with its defaults.

    drain.py FOLDER   ->  one JSON object: {"peer", "lines_per_s", "grouping_accuracy", "systems": [...]}
FOLDER is an unpacked loghub folder, as for `tocsin eval templates`.
"""
import collections
import csv
import json
import pathlib
import sys
import time

DEPTH = 4  # root, number of tokens, first token, templates: as in the paper
SIMILARITY = 0.4
MAX_CHILDREN = 100
WILDCARD = "<*>"


class Cluster:
    __slots__ = ("tokens",)

    def __init__(self, tokens):
        self.tokens = tokens


class Drain:
    def __init__(self):
        self.root = {}

    def _leaf(self, tokens):
        """The list of clusters a line may belong to; made when there is none."""
        node = self.root.setdefault(len(tokens), {})
        for token in tokens[: DEPTH - 3]:
            if any(c.isdigit() for c in token):
                token = WILDCARD
            if token not in node:
                if len(node) >= MAX_CHILDREN:
                    token = WILDCARD
                node.setdefault(token, {})
            node = node[token]
        return node.setdefault(None, [])

    def add(self, line):
        tokens = line.split()
        leaf = self._leaf(tokens)
        best, best_score = None, (-1.0, -1)
        for cluster in leaf:
            same = variables = 0
            for a, b in zip(cluster.tokens, tokens):
                if a == WILDCARD:
                    variables += 1
                elif a == b:
                    same += 1
            score = (same / max(1, len(tokens)), variables)
            if score > best_score:
                best, best_score = cluster, score
        if best is None or (best_score[0] < SIMILARITY and tokens):
            best = Cluster(tokens)
            leaf.append(best)
        else:
            best.tokens = [a if a == b else WILDCARD for a, b in zip(best.tokens, tokens)]
        return id(best)


def new_peer():
    try:
        from drain3 import TemplateMiner  # noqa: PLC0415

        miner = TemplateMiner()
        return "drain3", lambda line: miner.add_log_message(line)["cluster_id"]
    except ImportError:
        drain = Drain()
        return "Drain, from the paper, in Python", drain.add, drain


def column(path, name):
    with open(path, newline="", encoding="utf-8", errors="replace") as file:
        return [row[name] for row in csv.DictReader(file)]


def find(folder, suffix):
    found = {}
    for path in sorted(pathlib.Path(folder).rglob("*" + suffix)):
        found.setdefault(path.name[: -len(suffix)], path)
    return found


def grouping_accuracy(found, truth):
    a, b = collections.Counter(found), collections.Counter(truth)
    both = collections.Counter(zip(found, truth))
    return sum(n for (x, y), n in both.items() if n == a[x] == b[y]) / max(1, len(found))


def main():
    original = find(sys.argv[1], "_2k.log_structured.csv")
    corrected = find(sys.argv[1], "_2k.log_structured_corrected.csv")
    systems, lines_seen, seconds, peer = [], 0, 0.0, ""
    for name in sorted(set(original) | set(corrected)):
        path = corrected.get(name) or original[name]
        lines = column(path, "Content")
        truth = column(path, "EventTemplate" if name in corrected else "EventId")
        peer, add, *keep = new_peer()
        start = time.perf_counter()
        found = [add(line) for line in lines]
        seconds += time.perf_counter() - start
        lines_seen += len(lines)
        score = {"name": name, "lines": len(lines), "groups": len(set(found)), "grouping_accuracy": grouping_accuracy(found, truth)}
        if name in original:
            score["grouping_accuracy_original"] = grouping_accuracy(found, column(original[name], "EventId"))
        systems.append(score)
    print(
        json.dumps(
            {
                "peer": peer,
                "lines_per_s": lines_seen / max(seconds, 1e-9),
                "grouping_accuracy": sum(s["grouping_accuracy"] for s in systems) / max(1, len(systems)),
                "systems": systems,
            }
        )
    )


if __name__ == "__main__":
    main()
