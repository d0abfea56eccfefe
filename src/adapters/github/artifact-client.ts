/** The artifact library, a file of its own in dist/: it is larger than all the rest, and needed at the end of a run only. */
export {DefaultArtifactClient} from '@actions/artifact';
