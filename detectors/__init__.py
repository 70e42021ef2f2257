"""From pixels to tracked objects. Pure: arrays in, values out; no threads, no sockets, no clocks."""
