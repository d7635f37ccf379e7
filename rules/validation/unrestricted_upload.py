"""validation/unrestricted-upload."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.analyses.validation.uploads import kept_uploads, open_file_fields
from backaudit.project import Node, Project
from backaudit.rule import Finding, Step, assume, capitalized, rule


@rule("validation/unrestricted-upload", severity="high", cwe=434, owasp=("A06:2025", "A04:2021"))
def unrestricted_upload(project: Project) -> Iterator[Finding]:
    """An uploaded file is kept whatever it is.

    An HTML or SVG file that the site itself serves is a script in its visitors' sessions; a program in a folder that
    the server runs is worse. Without a limit of size, one client fills the disk.

    Mend: accept the extensions and content types that you need and compare the first bytes with them; limit the size;
    keep the file under a name of your own, outside of what the server serves or runs.

    Bad:
        from flask import Flask, request
        from werkzeug.utils import secure_filename

        app = Flask(__name__)

        @app.post("/avatar")
        def avatar():
            file = request.files["avatar"]
            file.save("/srv/static/" + secure_filename(file.filename))
            return {}, 201

    Good:
        from flask import Flask, abort, request
        from werkzeug.utils import secure_filename

        app = Flask(__name__)
        app.config["MAX_CONTENT_LENGTH"] = 2_000_000
        ALLOWED = {".png", ".jpg"}

        @app.post("/avatar")
        def avatar():
            file = request.files["avatar"]
            name = secure_filename(file.filename)
            if not name.endswith((".png", ".jpg")):
                abort(415)
            file.save("/srv/avatars/" + name)
            return {}, 201

    Links:
        https://cheatsheetseries.owasp.org/cheatsheets/File_Upload_Cheat_Sheet.html
        https://cwe.mitre.org/data/definitions/434.html
    """
    for kept in kept_uploads(project):
        what = kept.origin.what
        yield Finding(
            place=kept.at.place.first_line(),
            message=f"{capitalized(what)} and is kept, and nothing checks what kind of file it is.",
            trace=(*kept.origin.steps, Step(kept.at.place, "is stored")),
        )
    told: set[Node] = set()
    for field, cls, user in open_file_fields(project):
        if field not in told:
            told.add(field)
            yield Finding(
                place=field.place.first_line(),
                message=f"`{cls.cls.name}.{field.spelled}` takes any file: `{user.cls.name}` lets clients fill it, and "
                "no validator checks its type or size.",
                remedy="Give the field `validators=[FileExtensionValidator([...])]` and check its size.",
                assumed=assume("network", "neither a proxy nor the store bounds what is sent"),
                related=(Step(user.place, "lets clients fill it"),),
            )
