//===- Commands.h - The subcommands of lathe ------------------------------===//
#ifndef TOOLS_LATHE_COMMANDS_H
#define TOOLS_LATHE_COMMANDS_H

namespace lathe {

/// What the process returns.
enum ExitCode { kSuccess = 0, kFailure = 1, kUsage = 2 };

/// A subcommand: `argv[0]` is "lathe <command>", the rest its arguments.
using Command = int (*)(int argc, char **argv);

int runCompile(int argc, char **argv);
int runRun(int argc, char **argv);
int runBench(int argc, char **argv);
int runEval(int argc, char **argv);
int runCalibrate(int argc, char **argv);
int runInspect(int argc, char **argv);
int runTune(int argc, char **argv);
int runMachine(int argc, char **argv);

} // namespace lathe

#endif // TOOLS_LATHE_COMMANDS_H
