"""Users and vocabularies: read from files, kept in the contact database, and what a user may do."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from contact_pipeline.engines import Database
from contact_pipeline.errors import Refusal
from contact_pipeline.profiles import Profile
from contact_pipeline.profiles.reference import Meaning, Reference
from contact_pipeline.yaml_text import BrokenYaml, read_yaml


class User(BaseModel):
    """Somebody who imports, approves or owns a portfolio."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    login: str = Field(min_length=1, description="Name that portfolios and --user refer to.")
    name: str = Field(description="Name for people.")
    roles: list[str] = Field(default=[], description="Roles that profiles ask for.")
    can_import: bool = Field(False, description="Whether the import option is set for this user.")


def read_users(path: Path) -> list[User]:
    """The users of a YAML file: a list of {login, name, roles, can_import}.

    Raises:
        Refusal: the file cannot be read or an entry is wrong (code `users-file`), naming entry and key.
    """
    content = _yaml(path, "users-file")
    try:
        users = TypeAdapter(list[User]).validate_python(content)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        at = ".".join(str(part) for part in first["loc"]) or "the top"
        raise Refusal(
            "users-file",
            f"{path.name}, at {at}: {first['msg']}.",
            "Give a list of entries with login, name, roles and can_import.",
            file=path.name,
        ) from error
    logins = [user.login.casefold() for user in users]
    twice = sorted({user.login for user in users if logins.count(user.login.casefold()) > 1})
    if twice:
        raise Refusal(
            "users-file",
            f"{path.name} has several users with the login {' or '.join(twice)}; case makes no difference.",
            "Give every user a login of their own.",
            file=path.name,
        )
    return users


def keep_users(database: Database, users: Sequence[User]) -> None:
    """Replaces the users of the contact database."""
    database.run("DELETE FROM users")
    for user in users:
        database.run("INSERT INTO users VALUES (?, ?, ?, ?)", [user.login, user.name, user.roles, user.can_import])


def read_vocabulary(path: Path) -> list[str]:
    """The lines of a text file, without blank ones and repetitions.

    Raises:
        Refusal: the file cannot be read or holds no value (code `vocabulary-file`).
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise Refusal(
            "vocabulary-file", f"{path.name} cannot be read.", "Give a UTF-8 text file.", file=path.name
        ) from error
    values = list(dict.fromkeys(" ".join(line.split()) for line in lines if line.strip()))
    if not values:
        raise Refusal("vocabulary-file", f"{path.name} holds no value.", "Give one value per line.", file=path.name)
    return values


def keep_vocabulary(database: Database, name: str, values: Sequence[str]) -> None:
    """Replaces a vocabulary of the contact database."""
    database.run("DELETE FROM vocabularies WHERE name = ?", [name])
    for position, value in enumerate(values):
        database.run("INSERT INTO vocabularies VALUES (?, ?, ?)", [name, position, value])


def read_reference(database: Database, meanings: dict[str, dict[str, Meaning]] | None = None) -> Reference:
    """Users and vocabularies of the open contact database, with the given remembered values."""
    logins = database.rows("SELECT login FROM users ORDER BY login")
    words = database.rows("SELECT name, list(value ORDER BY position) FROM vocabularies GROUP BY name")
    return Reference(
        logins=frozenset(login for (login,) in logins),
        vocabularies={name: tuple(values) for name, values in words},
        meanings=meanings or {},
    )


def check_roles(database: Database, profile: Profile, login: str) -> None:
    """Tests that a user may import with a profile (E1: both the role and the import flag).

    Raises:
        Refusal: the user is unknown, has none of the roles, or lacks the flag (code `not-authorized`).
    """
    if profile.roles is None:
        return
    user = find_user(database, login)
    if user is None:
        problem = f"'{login}' is no known user"
    elif not {role.casefold() for role in user.roles} & {role.casefold() for role in profile.roles.any_of}:
        problem = f"user '{login}' has no such role"
    elif profile.roles.import_flag and not user.can_import:
        problem = f"can_import is not set for user '{login}'"
    else:
        return
    flag = " and can_import" if profile.roles.import_flag else ""
    raise Refusal(
        "not-authorized",
        f"Profile {profile.name} needs a user with the role {' or '.join(profile.roles.any_of)}{flag}; {problem}.",
        "Name such a user with --user; `contact-pipeline users load` loads users.",
    )


def every_user(database: Database) -> list[User]:
    """Every user."""
    return [User(**record) for record in database.records("FROM users ORDER BY login")]


def find_user(database: Database, login: str) -> User | None:
    """The user of that login, compared without regard to case; None when there is none."""
    return next((user for user in every_user(database) if user.login.casefold() == login.casefold()), None)


def _yaml(path: Path, code: str) -> object:
    try:
        return read_yaml(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise Refusal(code, f"{path.name} cannot be read.", "Give a UTF-8 YAML file.", file=path.name) from error
    except BrokenYaml as error:
        at = f" at line {error.line}" if error.line else ""
        message = f"{path.name} is not valid YAML{at}: {error.problem}."
        raise Refusal(code, message, "Correct it.", file=path.name) from error
