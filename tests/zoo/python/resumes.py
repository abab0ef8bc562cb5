"""Defect `resumes`: who comes back gets its name, but not what was said while it was away."""

from base_asyncio import Client, main
from base_sessions import Session, SessionRoom


class Amnesia(SessionRoom):
    def catch_up(self, client: Client, session: Session) -> None:
        client.send(f"You missed {len(session.missed)} lines.")


main(Amnesia)
