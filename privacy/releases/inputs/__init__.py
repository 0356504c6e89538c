"""What a release is made of besides an uploaded table: registered data sets, and files of hierarchies."""
