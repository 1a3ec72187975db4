"""The tests, tier by tier; a package only so that tiers can share their fakes by name."""
