"""A finding as the protocol tells it: a diagnostic with its path, a page to read, and what can be done about it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from lsprotocol import types
from pygls.workspace import PositionCodec

from backaudit.evidence import Severity
from backaudit.lsp.accepting import accepting
from backaudit.lsp.places import range_of
from backaudit.report.json import FindingRecord, FixRecord, SpotWithText
from backaudit.report.standards import rule_url
from backaudit.rule import Rule
from backaudit.ruledoc import read

LEVELS: Mapping[Severity, types.DiagnosticSeverity] = {
    "critical": types.DiagnosticSeverity.Error,
    "high": types.DiagnosticSeverity.Error,
    "medium": types.DiagnosticSeverity.Warning,
    "low": types.DiagnosticSeverity.Information,
}
SOURCE = "backaudit"
MOST_RELATED = 20


class Files:
    """What has to be known of files to speak of them: ``uri`` of a path of the project, ``lines`` of its text."""

    def __init__(
        self,
        uri: Callable[[str], str],
        lines: Callable[[str], Sequence[str]],
        is_there: Callable[[str], bool],
        codec: PositionCodec,
    ) -> None:
        self.uri, self.lines, self.is_there, self.codec = uri, lines, is_there, codec

    def range(self, spot: SpotWithText | FindingRecord) -> types.Range:
        return range_of(spot, self.lines(spot.path), self.codec)

    def location(self, spot: SpotWithText) -> types.Location:
        return types.Location(uri=self.uri(spot.path), range=self.range(spot))


def diagnostic(finding: FindingRecord, rule: Rule | None, files: Files) -> types.Diagnostic:
    """The finding where it stands, with the steps of its path."""
    url = rule_url(rule) if rule is not None else ""
    told = [*finding.trace, *finding.related][:MOST_RELATED]
    return types.Diagnostic(
        range=files.range(finding),
        severity=LEVELS[finding.severity],
        source=SOURCE,
        code=finding.rule,
        code_description=types.CodeDescription(href=url) if url else None,
        message=finding.message,
        related_information=[
            types.DiagnosticRelatedInformation(location=files.location(step), message=step.text) for step in told
        ],
        data={"fingerprint": finding.fingerprint},
    )


def page(finding: FindingRecord, rule: Rule | None) -> str:
    """Why it is reported, and how it is mended, as Markdown."""
    doc = read(rule.doc) if rule is not None else None
    mend = finding.remedy or (doc.mend if doc is not None else "")
    url = rule_url(rule) if rule is not None else ""
    parts = [f"**{finding.rule}** ({finding.severity})", finding.message]
    parts += [f"*Assumed:* {one.text}." for one in finding.assumed[:1]]
    parts += doc.why if doc is not None else ()
    parts += [f"**How to mend it.** {mend}"] if mend else []
    parts += [f"[More]({url})"] if url else []
    return "\n\n".join(parts)


def actions(
    finding: FindingRecord, shown: types.Diagnostic, files: Files, *, is_current: bool
) -> Iterator[types.CodeAction]:
    """The fixes, which fit only the text that was scanned, and the comment that accepts the finding."""
    for fix in finding.fixes if is_current else ():
        yield types.CodeAction(
            title=fix.summary if fix.safe else f"{fix.summary} (look it over)",
            kind=types.CodeActionKind.QuickFix,
            diagnostics=[shown],
            is_preferred=fix.safe,
            edit=_changes(fix, files),
        )
    comment = accepting(finding.rule.rpartition("/")[2], finding.path, files.lines(finding.path), finding.line)
    if comment is not None:
        spot = SpotWithText(
            path=finding.path,
            line=comment.line + 1,
            column=comment.column + 1,
            end_line=comment.line + 1,
            end_column=comment.column + 1,
            text=comment.text,
        )
        yield types.CodeAction(
            title=f"Accept {finding.rule} with a comment that says why",
            kind=types.CodeActionKind.QuickFix,
            diagnostics=[shown],
            edit=types.WorkspaceEdit(changes={files.uri(finding.path): [_edit(spot, files)]}),
        )


def _changes(fix: FixRecord, files: Files) -> types.WorkspaceEdit:
    """The edits by file; a file that is not there yet is made first."""
    by_path: dict[str, list[SpotWithText]] = {}
    for edit in fix.edits:
        by_path.setdefault(edit.path, []).append(edit)
    changes: list[types.CreateFile | types.TextDocumentEdit] = []
    for path, edits in by_path.items():
        uri = files.uri(path)
        if not files.is_there(path):
            changes.append(types.CreateFile(uri=uri, options=types.CreateFileOptions(ignore_if_exists=True)))
        document = types.OptionalVersionedTextDocumentIdentifier(uri=uri)
        changes.append(types.TextDocumentEdit(text_document=document, edits=[_edit(edit, files) for edit in edits]))
    return types.WorkspaceEdit(document_changes=changes)


def _edit(spot: SpotWithText, files: Files) -> types.TextEdit:
    return types.TextEdit(range=files.range(spot), new_text=spot.text)
