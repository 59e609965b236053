"""What a service's own policy must hold before heads are published under it: nobody can be shown another history.

The tlog-policy format allows any quorum. Ours must be one of which no two are without a common witness: a witness
cosigns one history, so two that part can then never both be published. With three or more, one may be away or lie.
"""

from __future__ import annotations

from collections.abc import Iterator

from ledger.trust.policy import NO_QUORUM, Policy

WITNESSES_MIN = 3


def quorum_faults(policy: Policy, own_prefix: str) -> list[str]:
    """Why heads may not be published under a policy; empty where they may.

    `own_prefix`: what the names of all that this service runs begin with, its tenants' too; who is not named so is
    somebody else's.
    """
    if policy.quorum == NO_QUORUM:
        return ["quorum none: no witness would have to see a head before everybody does"]
    witnesses = set(_witnesses(policy, policy.quorum))
    faults: list[str] = []
    if len(witnesses) < WITNESSES_MIN:
        faults.append(f"{len(witnesses)} witnesses count for the quorum, at least {WITNESSES_MIN} must")
    if _may_part(policy, policy.quorum):
        faults.append("not a majority: two quorums need have no witness in common, and could be shown two histories")
    if all(policy.witnesses[name].key.name.startswith(f"{own_prefix}/") for name in witnesses):
        faults.append(f"every witness is this service's own ({own_prefix}/...): one must be run by somebody else")
    return faults


def _witnesses(policy: Policy, name: str) -> Iterator[str]:
    group = policy.groups.get(name)
    if group is None:
        yield name
    else:
        for member in group.members:
            yield from _witnesses(policy, member)


def _may_part(policy: Policy, name: str) -> bool:
    """Whether two sets of witnesses without a common one both satisfy this name. No witness stands in two groups."""
    group = policy.groups.get(name)
    if group is None:
        return False
    # Both need `threshold` members; one that is in both must itself be satisfied by two sets apart.
    shared = sum(_may_part(policy, member) for member in group.members)
    return 2 * group.threshold <= len(group.members) + shared
