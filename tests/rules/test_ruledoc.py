"""A rule's docstring as its documentation."""

from __future__ import annotations

from backaudit.ruledoc import Example, RuleDoc, read

DOC = """A fast hash protects a password.

    MD5 is built to be
    fast.

    A second paragraph.

    Mend: use a password hasher
    such as argon2.

    Bad:
        import hashlib


        def f():
            return hashlib.md5()

    Bad: with a settings file
        # file: app/models.py
        x = 1

        # file: .env
        A=1

    Good:
        x = 2

    Links:
        https://example.org/a
        https://example.org/b
    """


def test_every_part_is_read() -> None:
    assert read(DOC) == RuleDoc(
        title="A fast hash protects a password.",
        why=("MD5 is built to be fast.", "A second paragraph."),
        mend="use a password hasher such as argon2.",
        bad=(
            Example((("app.py", "import hashlib\n\n\ndef f():\n    return hashlib.md5()\n"),)),
            Example((("app/models.py", "x = 1\n"), (".env", "A=1\n")), "with a settings file"),
        ),
        good=(Example((("app.py", "x = 2\n"),)),),
        links=("https://example.org/a", "https://example.org/b"),
    )


def test_code_shows_names_only_where_they_tell_something() -> None:
    doc = read(DOC)
    assert doc.good[0].code == "x = 2"
    assert doc.bad[1].code == "# file: app/models.py\nx = 1\n\n# file: .env\nA=1"


def test_a_lone_file_of_another_name_keeps_it() -> None:
    (example,) = read("T.\n\nBad:\n    # file: Dockerfile\n    FROM x\n").bad
    assert example.files == (("Dockerfile", "FROM x\n"),)
    assert example.code.startswith("# file: Dockerfile\n")


def test_code_is_marked_the_same_way_wherever_it_stands() -> None:
    doc = read("What `a` does.\n\nIt is ``ENV`` and `ARG`,\n``ports: []`` too.\n\nMend: call ``f()``.\n")
    assert doc.why == ("It is `ENV` and `ARG`, `ports: []` too.",)
    assert (doc.title, doc.mend) == ("What `a` does.", "call `f()`.")


def test_what_is_absent_is_empty() -> None:
    assert read("") == RuleDoc("", (), "", (), (), ())
    assert read("Only a title.") == RuleDoc("Only a title.", (), "", (), (), ())


def test_words_like_headings_inside_text_and_code_are_none() -> None:
    doc = read("T.\n\nBad: things happen.\n\nGood:\n    Links: str = 1\n")
    assert doc.links == ()
    assert doc.good[0].files == (("app.py", "Links: str = 1\n"),)


def test_what_all_examples_begin_with_is_written_once() -> None:
    doc = read(
        "T.\n\nGiven:\n    # file: models.py\n    x = 1\n    # file: views.py\n    import a\n\n"
        "Bad:\n    a.f()\n\nGood:\n    a.g()\n    # file: .env\n    A=1\n"
    )
    models = ("models.py", "x = 1\n")
    assert doc.bad == (Example((models, ("views.py", "import a\n\na.f()\n"))),)
    assert doc.good == (Example((models, ("views.py", "import a\n\na.g()\n"), (".env", "A=1\n"))),)
