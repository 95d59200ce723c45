"""What a text or an id in a request may contain, as OpenAPI says it, too."""

from typing import Annotated

from pydantic import Field

from monitor.gym.people.fields import MOST_NAME, MOST_NOTE

NO_CONTROLS = r"^[^\x00-\x1f\x7f-\x9f]*$"
NO_CONTROLS_BUT_NEW_LINES = r"^[^\x00-\x09\x0b-\x1f\x7f-\x9f]*$"

ClientId = Annotated[str, Field(pattern=r"^c-[a-z0-9]{10}$")]
LoginId = Annotated[str, Field(pattern=r"^[0-9a-f]{16}$")]
UnixTime = Annotated[float, Field(ge=0, le=1e11)]
Line = Annotated[str, Field(max_length=MOST_NAME, pattern=NO_CONTROLS)]
Note = Annotated[str, Field(max_length=MOST_NOTE, pattern=NO_CONTROLS_BUT_NEW_LINES)]
Id = Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,64}$")]
Site = Annotated[str, Field(max_length=200, pattern=r"^[^\x00-\x1f\x7f-\x9f+#]+$")]
