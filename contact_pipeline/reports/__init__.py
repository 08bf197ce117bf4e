"""What people read and download: templates, rejected rows, descriptions of profiles. Reads the store, never a stage."""
