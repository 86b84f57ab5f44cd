// How to start a program in a terminal of its own, and to close that terminal.

import { hasProgram } from "./program.ts";

/** Runs a command in a new terminal and passes on what it prints. USR1 closes the terminal. Ends with the command's code. */
const SCRIPT = `
import os, pty, signal, sys
os.dup2(1, 9)
child, terminal = pty.fork()
if child == 0:
    os.execvp(sys.argv[1], sys.argv[1:])
class Close(Exception): pass
def close(*_): raise Close
signal.signal(signal.SIGUSR1, close)
try:
    try:
        while True:
            data = os.read(terminal, 65536)
            if not data: break
            sys.stdout.buffer.write(data)
            sys.stdout.buffer.flush()
    except OSError: pass
    _, status = os.waitpid(child, 0)
except Close:
    os.close(terminal)
    print("the terminal is closed", flush=True)
    _, status = os.waitpid(child, 0)
sys.exit(os.WEXITSTATUS(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status))
`;

/** True if this machine can open terminals for tests. */
export const hasTerminals: boolean = await hasProgram("python3");

/** Put before a command, runs it in a terminal of its own. Send USR1 to close the terminal. Its descriptor 9 is no terminal. */
export const IN_TERMINAL: string[] = ["python3", "-c", SCRIPT];
