"""JavaScript that uses the page's chooser."""

OPEN = "document.querySelector('#choose').click()"


READY = "!document.querySelector('[name=use]').disabled"


USE = "document.querySelector('[name=use]').click()"


ANSWER = "document.querySelector('#choose-answer').textContent"


WHY = "document.querySelector('#choose-why').textContent"
