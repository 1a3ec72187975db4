"""The Jenkinsfiles of a project: where they are, and whether Jenkins would take them."""
