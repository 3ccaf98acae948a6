"""The studio: a local web application over the same verbs, one file a subject.

`app` puts the pages together: each file with a ``router`` is one subject, and stands in its list.
`guard` lets nobody in but the browser that was given the key. Words are in ``words/*.json``, in
English and Korean; scripts and styles in ``static``; pages in ``templates``.
"""
