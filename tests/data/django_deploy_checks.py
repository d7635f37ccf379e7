"""Django's own answer: a line of JSON (files by name) in, the ids of ``check --deploy`` out. Run as a program."""

import importlib
import json
import os
import sys
import tempfile


def main() -> None:
    import django  # type: ignore[import-untyped]
    from django.conf import settings  # type: ignore[import-untyped]
    from django.core import checks  # type: ignore[import-untyped]
    from django.utils.functional import empty  # type: ignore[import-untyped]

    os.environ["DJANGO_SETTINGS_MODULE"] = "plain"
    with tempfile.TemporaryDirectory() as folder:
        sys.path.insert(0, folder)
        with open(os.path.join(folder, "plain.py"), "w") as file:
            file.write("SECRET_KEY = 'x'\n")
        django.setup()
        for number, line in enumerate(sys.stdin):
            for name, text in json.loads(line).items():
                text = text.replace("from base import", f"from base_{number} import")
                with open(os.path.join(folder, f"{name}_{number}.py"), "w") as file:
                    file.write(text)
            importlib.invalidate_caches()
            os.environ["DJANGO_SETTINGS_MODULE"] = f"settings_{number}"
            settings._wrapped = empty
            said = checks.run_checks(tags=["security"], include_deployment_checks=True)
            sys.stdout.write(json.dumps(sorted({message.id for message in said})) + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
