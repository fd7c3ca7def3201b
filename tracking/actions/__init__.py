"""The verbs of the road. Each owns its transaction, its locks, its rule, its history row and its notices.

All take the object as the page fetched it (it is locked and read again inside), `by=` the person who acts, and
optionally `now=`. They raise `common.refusals.Conflict` or `Invalid` with a sentence and a next step, and
`PermissionDenied` for somebody who may not.
"""
