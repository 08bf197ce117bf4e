"""Pages for people: HTML that needs nothing else, made of templates, with what a browser may do in it named.

`page` draws a template, `shown` says how numbers, times and sizes are written, `templates/base.html` and
`static/base.css` have what all pages share, and `review` is the page of one upload. Nothing here changes anything.
"""
