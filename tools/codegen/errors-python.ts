// proto/errors.json -> workers/python/src/thornback/_errors_generated.py

import { type ErrorRow, type ErrorTable, wrapText } from './error-table.ts'

const preamble = `# Generated from proto/errors.json by tools/codegen; do not edit.
"""The exceptions that Thornback raises: one class for each code of the error table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar


class ThornbackError(Exception):
    """Base of all errors of Thornback.

    \`code\` is stable across versions and languages, \`retryable\` says whether the same call may
    succeed later, \`fault\` who can do something about it: "user", "environment", "peer" or
    "engine".
    """

    code: str = "INTERNAL"
    number: ClassVar[int] = 0
    fault: str = "engine"
    retryable: bool = False
    template: ClassVar[str] = ""

    message: str
    remote_stack: str | None
    data: Mapping[str, Any]

    def __init__(
        self,
        message: str = "",
        *,
        cause: BaseException | None = None,
        remote_stack: str | None = None,
        data: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.remote_stack = remote_stack
        self.data = data if data is not None else {}
        if cause is not None:
            self.__cause__ = cause


class RemoteException(Exception):
    """An exception of another process or language: the cause of a \`RemoteError\`.

    \`name\` is the type's name where it was raised, \`stack\` that language's own rendering of the
    frames.
    """

    def __init__(
        self,
        name: str,
        message: str,
        *,
        stack: str | None = None,
        language: str | None = None,
        cause: BaseException | None = None,
        data: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(name, message)
        self.name = name
        self.message = message
        self.stack = stack
        self.language = language
        self.data: Mapping[str, Any] = data if data is not None else {}
        if cause is not None:
            self.__cause__ = cause

    def __str__(self) -> str:
        heading = f"{self.name}: {self.message}"
        return heading if self.stack is None else f"{heading}\\n\\n{self.stack}"
`

function docstring(text: string): string {
  const lines = wrapText(text, 90)
  if (lines.length === 1) return `    """${text}"""`
  return `    """\n${lines.map((line) => `    ${line}`).join('\n')}\n    """`
}

function errorClass(row: ErrorRow): string {
  const parent = row.extends ?? 'ThornbackError'
  const bases = row.pythonBase === undefined ? parent : `${parent}, ${row.pythonBase}`
  return `

class ${row.class}(${bases}):
${docstring(row.meaning)}

    code = "${row.code}"
    number = ${row.number}
    fault = "${row.fault}"
    retryable = ${row.retryable ? 'True' : 'False'}
    template = ${JSON.stringify(row.message)}
`
}

export function pythonErrors(table: ErrorTable): string {
  const classes = table.errors.map((row) => `    "${row.code}": ${row.class},`).join('\n')
  const statuses = table.codeOfStatus
    .map(([status, code]) => `    ${status}: "${code}",`)
    .join('\n')
  return `${preamble}${table.errors.map(errorClass).join('')}

ERROR_CLASSES: dict[str, type[ThornbackError]] = {
${classes}
}
"""The class of each code."""

CODE_OF_STATUS: dict[int, str] = {
${statuses}
}
"""The code that says the same as a status of the C ABI."""
`
}
