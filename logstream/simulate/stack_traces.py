"""Stack traces in the styles of Java, Python, Node and Go, 5 to 40 lines.

The frames of one exception in one service are always the same, line numbers included, as
they are for code that does not change; only the depth at which a trace was taken varies.
"""

from random import Random
from zlib import crc32

_VERBS = ("handle", "execute", "process", "load", "apply", "submit", "invoke", "resolve")
_NOUNS = ("Request", "Command", "Step", "Session", "Client", "Mapper", "Policy", "Context")
_JAVA_BASE = (
    "org.springframework.web.servlet.FrameworkServlet.service(FrameworkServlet.java:885)",
    "jakarta.servlet.http.HttpServlet.service(HttpServlet.java:658)",
    "org.apache.catalina.core.ApplicationFilterChain.doFilter(ApplicationFilterChain.java:138)",
    "org.apache.catalina.core.StandardWrapperValve.invoke(StandardWrapperValve.java:165)",
    "org.apache.tomcat.util.net.SocketProcessorBase.run(SocketProcessorBase.java:52)",
    "java.base/java.util.concurrent.ThreadPoolExecutor.runWorker(ThreadPoolExecutor.java:1144)",
    "java.base/java.lang.Thread.run(Thread.java:1583)",
)


def stack_trace(language: str, service: str, exception: str, rng: Random) -> str:
    """The trace that follows a message, without a leading newline.

    `exception` is `Type: text`. An unknown language gives the exception alone.
    """
    depth = rng.randint(3, 14)
    match language:
        case "java":
            return _java(service, exception, depth, has_cause=rng.random() < 0.3)
        case "python":
            return _python(service, exception, depth)
        case "node":
            return _node(service, exception, depth)
        case "go":
            return _go(service, exception, depth)
    return exception


def _frame(service: str, exception: str, level: int) -> tuple[str, str, int]:
    """(class-like name, function, line number) of one frame, always the same."""
    mark = crc32(f"{service}/{exception.partition(':')[0]}/{level}".encode())
    noun = _NOUNS[mark % 8] + ("Handler", "Service", "Repository", "Adapter")[mark // 8 % 4]
    return noun, _VERBS[mark // 32 % 8], 20 + mark // 256 % 400


def _java(service: str, exception: str, depth: int, *, has_cause: bool) -> str:
    package = f"com.shop.{service.partition('-')[0]}"
    lines = [exception]
    for level in range(depth):
        name, verb, line = _frame(service, exception, level)
        lines.append(f"\tat {package}.{name}.{verb}({name}.java:{line})")
    lines += [f"\tat {frame}" for frame in _JAVA_BASE]
    if has_cause:
        name, verb, line = _frame(service, exception, 99)
        lines.append("Caused by: java.io.IOException: Broken pipe")
        lines.append("\tat java.base/sun.nio.ch.SocketDispatcher.write(SocketDispatcher.java:63)")
        lines.append(f"\tat {package}.io.{name}.{verb}({name}.java:{line})")
        lines.append(f"\t... {depth + 4} more")
    return "\n".join(lines)


def _python(service: str, exception: str, depth: int) -> str:
    module = service.replace("-", "_")
    lines = ["Traceback (most recent call last):"]
    for level in range(max(2, depth)):
        name, verb, line = _frame(service, exception, level)
        lines.append(f'  File "/app/{module}/{name.lower()}.py", line {line}, in {verb}')
        lines.append(f"    return self.{name.lower()}.{verb}(request)")
    return "\n".join([*lines, exception])


def _node(service: str, exception: str, depth: int) -> str:
    lines = [exception]
    for level in range(depth):
        name, verb, line = _frame(service, exception, level)
        lines.append(f"    at async {name}.{verb} (/app/dist/{name.lower()}.js:{line}:{level + 9})")
    lines.append(
        "    at process.processTicksAndRejections (node:internal/process/task_queues:105:5)"
    )
    return "\n".join(lines)


def _go(service: str, exception: str, depth: int) -> str:
    lines = [f"panic: {exception} [recovered]", "", "goroutine 4117 [running]:"]
    for level in range(depth):
        name, verb, line = _frame(service, exception, level)
        lines.append(f"shop.example/{service}/internal.(*{name}).{verb.title()}(...)")
        lines.append(f"\t/src/{service}/internal/{name.lower()}.go:{line} +0x{line * 7:x}")
    return "\n".join([*lines, "created by net/http.(*Server).Serve in goroutine 1"])
