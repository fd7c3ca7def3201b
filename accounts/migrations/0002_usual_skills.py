"""The trades of a usual business. Rows only; the desk renames, adds and removes them in the admin."""

from django.db import migrations

SKILLS = {
    "plumbing": ("Plumbing", "droplets"),
    "heating": ("Heating and boilers", "flame"),
    "electrics": ("Electrics", "zap"),
    "locks": ("Locks", "key-round"),
    "appliances": ("Appliances", "washing-machine"),
    "carpentry": ("Carpentry", "hammer"),
    "decorating": ("Painting and decorating", "paint-roller"),
    "assembly": ("Furniture assembly", "sofa"),
    "it-support": ("Computers and Wi-Fi", "laptop"),
    "tv-aerials": ("TV and aerials", "tv"),
    "cleaning": ("Cleaning", "sparkles"),
    "gardening": ("Gardening", "leaf"),
}


def add(apps, schema_editor):
    skill = apps.get_model("accounts", "Skill")
    for slug, (name, icon) in SKILLS.items():
        skill.objects.get_or_create(slug=slug, defaults={"name": name, "icon": icon})


class Migration(migrations.Migration):
    dependencies = [("accounts", "0001_people")]

    operations = [migrations.RunPython(add, migrations.RunPython.noop)]
