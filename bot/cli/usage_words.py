"""What a command that was written wrongly says: which option, what it takes, where help is."""

from __future__ import annotations

import re

from typer.exceptions import TyperException

_AT = re.compile(r"Invalid value for '?(?P<at>[^':]+)'?: (?P<what>.*)", re.DOTALL)
_NOT_AT = re.compile(r"Invalid value: (?P<what>.*)", re.DOTALL)
_VALUES: tuple[tuple[str, str], ...] = (
    (r"Input should be less than or equal to (\S+)", r"最大写 \1。"),
    (r"Input should be greater than or equal to (\S+)", r"最小写 \1。"),
    (r"Input should be a valid integer.*", "要写整数。"),
    (r"Input should be a valid number.*", "要写数字。"),
    (r"Input should be a valid boolean.*", "写 true 或 false。"),
    (r"Input should be (.+)", r"只能写 \1。"),
)
_WHOLE: tuple[tuple[str, str], ...] = (
    (r"No such option: (\S+) \(Possible options?: (.+)\)", r"没有 \1 这个选项，是不是 \2？"),
    (r"No such option: (\S+?),? Did you mean (\S+?)\?", r"没有 \1 这个选项，是不是 \2？"),
    (r"No such option: (\S+)", r"没有 \1 这个选项。"),
    (r"No such command '(.+?)'\.?(.*)", r"没有 \1 这条命令。"),
    (r"Missing argument '(.+?)'.*", r"少写了 \1。"),
    (r"Missing option '(.+?)'.*", r"少写了 \1。"),
    (r"Missing command\.?", "少写了要做什么。"),
    (r"Option '(.+?)' requires an argument\.?", r"\1 后面要写上值。"),
    (r"Option '(.+?)' does not take a value\.?", r"\1 后面不写值。"),
    (r"Got unexpected extra argument(?:s|\(s\))? \((.+)\)", r"多写了 \1。"),
)


def usage_in_words(error: TyperException) -> str:
    """Say in Chinese what is wrong with how a command was written, and where its help is."""
    message = error.format_message()
    if message.startswith("Usage:"):
        return message  # a group of commands without one of them: its help is the answer
    return f"{_said(message)}\n怎么写：{_command(error)} --help"


def _command(error: TyperException) -> str:
    path = getattr(getattr(error, "ctx", None), "command_path", "")
    return re.sub(r" \[?\{?[A-Z_]+\}?\]?(?:\.\.\.)?$", "", path) or "zhilin"


def _said(message: str) -> str:
    if found := _AT.fullmatch(message):
        return f"{found['at'].strip()}：{_translated(found['what'], _VALUES)}"
    if found := _NOT_AT.fullmatch(message):
        return _translated(found["what"], _VALUES)
    return _translated(message, _WHOLE)


def _translated(text: str, rules: tuple[tuple[str, str], ...]) -> str:
    """Return what is meant in Chinese; what says it in Chinese already stays as it is."""
    for pattern, words in rules:
        if found := re.fullmatch(pattern, text.strip(), re.DOTALL):
            return found.expand(words)
    return text
