"""Nothing about a client leaves this program without the client's consent."""

from monitor.gym.people.clients import Client
from monitor.gym.people.errors import PeopleError


class NoConsent(PeopleError):
    """The client has not consented, or nobody has recorded it."""


def consented(client: Client) -> Client:
    """The same client. Raises NoConsent."""
    if client.consent_on is None:
        raise NoConsent(f"{client.name} has given no consent: record the day of the consent first")
    return client
