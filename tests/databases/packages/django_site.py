"""python3 django_site.py FILE: Django makes the tables of its own applications, with users and sessions."""

import sys

import django
from django.conf import settings
from django.core.management import call_command

PARTS = ("admin", "auth", "contenttypes", "sessions", "messages")
settings.configure(
    USE_TZ=True, SECRET_KEY="only-for-this-file", DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    PASSWORD_HASHERS=["django.contrib.auth.hashers.PBKDF2PasswordHasher"],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": sys.argv[1]}},
    INSTALLED_APPS=[f"django.contrib.{part}" for part in PARTS])
django.setup()
call_command("migrate", verbosity=0)

from django.contrib.admin.models import LogEntry  # noqa: E402  (needs the settings)
from django.contrib.auth.models import Group, User  # noqa: E402
from django.contrib.contenttypes.models import ContentType  # noqa: E402
from django.contrib.sessions.backends.db import SessionStore  # noqa: E402

for number in range(6):
    User.objects.create_user(f"user{number}", f"user{number}@mail.example", f"secret of {number}")
User.objects.first().groups.add(Group.objects.create(name="editors"))
for number in range(5):
    session = SessionStore()
    session["cart"] = [number]
    session.save()
LogEntry.objects.create(user=User.objects.first(), content_type=ContentType.objects.first(), object_id="1",
                        object_repr="user0", action_flag=1, change_message='[{"added": {}}]')
