"""Form of the limits of disclosure, in the words of the field."""

from django.forms import ModelForm

from privacy.models.releases import FLOOR


class DisclosureLimitsForm(ModelForm):  # type: ignore[type-arg]  # not subscriptable at run time
    class Meta:
        labels = {
            "smallest_group": "Smallest group that is counted",
            "k_at_least": "k, at least",
            "l_at_least": "Sensitive values in a class (l), at least",
            "t_at_most": "Distance of their shares (t), at most",
            "epsilon_at_most": "Epsilon, at most",
            "inferred_at_most": "Sensitive values guessed, at most",
            "singled_out_at_most": "People singled out, at most",
            "days_at_most": "In force, at most (days)",
            "overlap_at_least": "Left of a class, at least",
            "overlap": "If less is left",
            "person_key": "Pseudonyms of people",
        }
        help_texts = {
            "smallest_group": f"People. Smaller groups are withheld in public counts; never below {FLOOR}.",
            "t_at_most": "In thousandths; 1000 is no limit.",
            "epsilon_at_most": "In thousandths, for releases that noise protects.",
            "inferred_at_most": "In thousandths of what a control group leaves open; 1000 is no limit.",
            "singled_out_at_most": "The same, of rows that look like no other; 1000 is no limit.",
            "overlap_at_least": "Rows, and sensitive values, of a person in two releases of one table together.",
            "person_key": "Hashes, tokens, encrypted values: each points to one person, so a copy is not anonymous.",
        }
