#!/usr/bin/env python3
"""Runs ctest over one or more build trees and counts test cases truthfully.

Each ctest entry is one program. A GoogleTest program reports its cases as JSON and each counts; a program that
dies before it reports counts as one; another program's lines "ok NAME", "FAIL NAME" and "skip NAME" are its cases, and
without any it counts as one. Fuzz targets, when asked for, run a minute each
and count as one. The last line printed is "N passed, N failed[, N skipped]"; the exit code is non-zero when a
case failed or when no case ran.
"""
import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import time

SLOW_LABEL = "slow"
FUZZ_SECONDS = 60
OUTPUT_BYTES = "4000000"  # of one program, kept for counting
LINE_CASE = re.compile(r"^(ok|FAIL|skip)\s+(\S+)", re.M)
LINE_STATES = {"ok": "passed", "FAIL": "failed", "skip": "skipped"}


class Tally:
    def __init__(self):
        self.passed, self.failed, self.skipped = 0, 0, 0
        self.failures = []

    def fail(self, name):
        self.failed += 1
        self.failures.append(name)

    def line(self):
        text = f"{self.passed} passed, {self.failed} failed"
        return text + (f", {self.skipped} skipped" if self.skipped else "")


def listed_tests(build):
    out = subprocess.run(["ctest", "--test-dir", build, "--show-only=json-v1"], capture_output=True, text=True, check=True)
    return json.loads(out.stdout)["tests"]


def is_slow(test):
    return any(p["name"] == "LABELS" and SLOW_LABEL in p["value"] for p in test.get("properties", []))


def matching_cases(test, pattern):
    """True when the GoogleTest program has a case named like the pattern."""
    command = test.get("command", [])
    if not any("gtest" in argument for argument in command):
        return False
    env = dict(os.environ, GTEST_FILTER=f"*{pattern}*")
    listing = subprocess.run([command[0], "--gtest_list_tests"], capture_output=True, text=True, env=env, timeout=60)
    return bool(listing.stdout.strip()) and any(line.startswith("  ") for line in listing.stdout.splitlines())


def choose(tests, pattern, slow):
    """The names to run, and the GTEST_FILTER to run them with ('' for all cases)."""
    tests = [t for t in tests if "command" in t and (slow or not is_slow(t))]
    if not pattern:
        return [t["name"] for t in tests], ""
    named = [t["name"] for t in tests if pattern in t["name"]]
    if named:
        return named, ""
    return [t["name"] for t in tests if matching_cases(t, pattern)], f"*{pattern}*"


def run_ctest(build, names, gtest_filter):
    """Runs the named tests; returns {name: (state, output)} and the folder of case reports."""
    results = os.path.abspath(os.path.join(build, "test-results"))
    shutil.rmtree(results, ignore_errors=True)
    os.makedirs(results)
    env = dict(os.environ, GTEST_OUTPUT=f"json:{results}/cases/", GTEST_COLOR="no")
    if gtest_filter:
        env["GTEST_FILTER"] = gtest_filter
    junit = os.path.join(results, "ctest.xml")
    regex = "^(" + "|".join(re.escape(n) for n in names) + ")$"
    command = ["ctest", "--test-dir", build, "-R", regex, "--output-on-failure", "--no-tests=error",
               "--test-output-size-passed", OUTPUT_BYTES, "--test-output-size-failed", OUTPUT_BYTES,
               "-j", os.environ.get("TOCSIN_TEST_JOBS", "1"), "--output-junit", junit]
    subprocess.run(command, env=env, stdin=subprocess.DEVNULL, check=False)
    return read_junit(junit), os.path.join(results, "cases")


def read_junit(path):
    import xml.etree.ElementTree as tree
    outcome = {}
    for case in tree.parse(path).getroot().iter("testcase"):
        state = {"run": "passed", "fail": "failed"}.get(case.get("status"), "skipped")
        outcome[case.get("name")] = (state, case.findtext("system-out") or "")
    return outcome


def read_report(path):
    """[(case, 'passed' | 'failed' | 'skipped')] of one GoogleTest report; [] when it cannot be read."""
    try:
        with open(path, encoding="utf-8") as file:
            report = json.load(file)
    except (OSError, ValueError):
        return []
    cases = []
    for suite in report.get("testsuites", []):
        for case in suite.get("testsuite", []):
            name = f"{suite['name']}.{case['name']}"
            if case.get("failures"):
                cases.append((name, "failed"))
            elif case.get("result") == "SKIPPED":
                cases.append((name, "skipped"))
            elif case.get("status") == "RUN":
                cases.append((name, "passed"))
    return cases


def reports_of(folder, program):
    """A program that ctest runs several times leaves program.json, program_1.json …"""
    wanted = re.compile(re.escape(program) + r"(_\d+)?\.json")
    names = sorted(os.listdir(folder)) if os.path.isdir(folder) else []
    return [os.path.join(folder, n) for n in names if wanted.fullmatch(n)]


def count(tally, label, outcome, cases_folder, commands):
    programs = {}
    for name in sorted(outcome):
        programs.setdefault(os.path.basename(commands[name][0]), []).append(name)
    for program, names in programs.items():
        cases = [case for path in reports_of(cases_folder, program) for case in read_report(path)]
        if not cases:
            cases = [(c, LINE_STATES[s]) for n in names for s, c in LINE_CASE.findall(outcome[n][1])]
        failed = [n for n in names if outcome[n][0] == "failed"]
        if not cases:
            cases = [(n, outcome[n][0]) for n in names]
        elif failed and not any(state == "failed" for _, state in cases):
            cases += [(f"{n} (did not end well: crash, leak or time limit)", "failed") for n in failed]
        for case, state in cases:
            if state == "passed":
                tally.passed += 1
            elif state == "skipped":
                tally.skipped += 1
            else:
                tally.fail(f"{label}{program}: {case}")


def run_build(tally, build, arguments):
    tests = listed_tests(build)
    names, gtest_filter = choose(tests, arguments.filter, arguments.slow)
    if not names:
        return
    commands = {t["name"]: t["command"] for t in tests if "command" in t}
    outcome, cases = run_ctest(build, names, gtest_filter)
    for name in names:
        outcome.setdefault(name, ("failed", ""))  # ctest says nothing of it: it did not run
    label = "" if len(arguments.build) == 1 else f"{os.path.basename(build)}/"
    count(tally, label, outcome, cases, commands)


def run_fuzzers(tally, folder, pattern):
    """Each fuzz target for a minute, from its kept corpus; what it finds stays in the build folder."""
    for target in sorted(os.listdir(folder)):
        program = os.path.abspath(os.path.join(folder, target))
        if not target.endswith("_fuzz") or not os.access(program, os.X_OK) or pattern not in target:
            continue
        found = os.path.join(os.path.abspath(folder), "found", target)
        os.makedirs(found, exist_ok=True)
        kept = os.path.join("tests", "fuzz", "corpus", target.removesuffix("_fuzz"))
        command = [program, f"-max_total_time={FUZZ_SECONDS}", "-print_final_stats=1", "-timeout=10",
                   "-rss_limit_mb=2048", f"-artifact_prefix={found}/", found]
        command += [kept] if os.path.isdir(kept) else []
        print(f"fuzzing {target} for {FUZZ_SECONDS} s", flush=True)
        with open(os.path.join(folder, target + ".log"), "w", encoding="utf-8") as log:
            code = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, check=False).returncode
        if code == 0:
            tally.passed += 1
        else:
            tally.fail(f"{target}: exit {code}, see {log.name}; the input is in {found}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--build", action="append", required=True, help="a configured and built tree; may be repeated")
    parser.add_argument("--filter", default="", help="part of a ctest name, else part of a test case name")
    parser.add_argument("--slow", action="store_true", help=f"also the tests labelled '{SLOW_LABEL}'")
    parser.add_argument("--fuzz", default="", help="folder of built fuzz targets")
    arguments = parser.parse_args()
    tally, start = Tally(), time.monotonic()
    for build in arguments.build:
        run_build(tally, build, arguments)
    if arguments.fuzz:
        run_fuzzers(tally, arguments.fuzz, arguments.filter)
    if tally.failures:
        print("\nFailed:")
        for failure in tally.failures:
            print(f"  {failure}")
    ran = tally.passed + tally.failed
    if not ran:
        print(f"no test ran{f' for filter {arguments.filter!r}' if arguments.filter else ''}", file=sys.stderr)
    print(f"took {time.monotonic() - start:.0f} s")
    print(tally.line())
    return 0 if ran and not tally.failed else 1


if __name__ == "__main__":
    sys.exit(main())
