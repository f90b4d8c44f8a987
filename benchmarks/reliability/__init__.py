"""What a long session, a hostile page and Ctrl-C leave behind: the rows of a table, one script for each kind."""
