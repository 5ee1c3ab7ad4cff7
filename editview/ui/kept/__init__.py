"""What is kept between starts: the runs so far, and the room that everything takes on the disk."""
