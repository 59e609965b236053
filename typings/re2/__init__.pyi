class error(Exception): ...

class Options:
    max_mem: int
    log_errors: bool

class Pattern:
    def fullmatch(self, text: str) -> object | None: ...

def compile(pattern: str, options: Options | None = ...) -> Pattern: ...
